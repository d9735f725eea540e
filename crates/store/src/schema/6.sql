-- The state of each conversation gets, at its end, how much of it the user has not read. For earlier messages it is
-- nothing, which a zero byte says.
UPDATE conversations SET vectors = CAST(vectors || x'00' AS BLOB) WHERE vectors IS NOT NULL;
