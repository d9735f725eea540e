-- The peer's state, and its state of each conversation, get one more list at their end. It is empty, which a zero byte
-- says.
UPDATE state SET value = CAST(value || x'00' AS BLOB) WHERE name = 'mind';
UPDATE conversations SET vectors = CAST(vectors || x'00' AS BLOB) WHERE vectors IS NOT NULL;
