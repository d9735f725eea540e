-- One's own texts that are to go out later, by the numbers that their author knows them by: not stamped yet.
CREATE TABLE scheduled (
    number INTEGER PRIMARY KEY,
    text BLOB NOT NULL          -- what, to whom and when
) STRICT;
