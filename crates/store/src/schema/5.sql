-- Texts of this user that are to be sent later and are not stamped yet, by the numbers that the user knows them by.
CREATE TABLE scheduled (
    number INTEGER PRIMARY KEY,
    text BLOB NOT NULL          -- what, to whom and when
) STRICT;

-- No message has a clock beyond 2^53. Earlier versions accepted parcels with any clock.
DELETE FROM parcels WHERE CAST(substr(message, instr(message, ':') + 1) AS INTEGER) > 9007199254740992;

-- Where each person was ever seen, or said to be: IP addresses separated by spaces, the latest last.
CREATE TABLE addresses (
    person TEXT PRIMARY KEY,
    known TEXT NOT NULL
) STRICT, WITHOUT ROWID;
