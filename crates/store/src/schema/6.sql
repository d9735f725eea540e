-- What the peer knows of each conversation ends in how much of it the user has not read: of what there was before, nothing, which
-- a byte 0 says.
UPDATE conversations SET vectors = CAST(vectors || x'00' AS BLOB) WHERE vectors IS NOT NULL;
