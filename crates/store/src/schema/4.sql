-- What the peer knows of each conversation ends in what is still to be fetched of it: nothing, which a byte 0 says.
UPDATE conversations SET vectors = CAST(vectors || x'00' AS BLOB) WHERE vectors IS NOT NULL;
