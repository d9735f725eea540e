-- What the peer has in mind, and what it knows of each conversation, ends in one more list: it is empty, which a byte 0 says.
UPDATE state SET value = CAST(value || x'00' AS BLOB) WHERE name = 'mind';
UPDATE conversations SET vectors = CAST(vectors || x'00' AS BLOB) WHERE vectors IS NOT NULL;
