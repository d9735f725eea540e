-- The state of each conversation gets, at its end, what is still to be fetched of it. It is nothing, which a zero byte
-- says.
UPDATE conversations SET vectors = CAST(vectors || x'00' AS BLOB) WHERE vectors IS NOT NULL;
