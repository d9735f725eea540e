-- The processes by the numbers that stamps use. Stamps name authors and recipients this way. 0 is this process itself.
CREATE TABLE processes (
    number INTEGER PRIMARY KEY,
    person TEXT NOT NULL,       -- a libp2p peer id
    incarnation TEXT NOT NULL   -- 16 hexadecimal digits
) STRICT;

-- Earlier incarnations of this process, one per life. A batch filed in a life has stamps in which 0 is the process of
-- that life.
CREATE TABLE lives (
    life INTEGER PRIMARY KEY,
    process INTEGER NOT NULL
) STRICT;

-- What people say about themselves.
CREATE TABLE records (
    person TEXT PRIMARY KEY,
    name TEXT,
    signed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- This user's aliases for people.
CREATE TABLE aliases (
    alias TEXT PRIMARY KEY,
    person TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The greatest greeting that each process signed.
CREATE TABLE greetings (
    process TEXT PRIMARY KEY,
    signed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- all, group or direct
    name TEXT NOT NULL,         -- of the group, or the peer id of the other
    vectors BLOB,               -- what was shown and fetched
    UNIQUE (kind, name)
) STRICT;

-- Messages of this user that are stamped and not sent yet, and when they are due (Unix time in microseconds).
CREATE TABLE delayed (
    clock INTEGER PRIMARY KEY,
    due INTEGER NOT NULL
) STRICT;

-- Single values: causal and mind (the persisted state of the peer), settled (the clock up to which every peer has the
-- messages of this process), indexed and searched (the greatest message ids that history and words know), floor (a
-- batch number that was used).
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

-- Messages that were signed together.
CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    author INTEGER NOT NULL,    -- a process
    life INTEGER NOT NULL,      -- of one's own, in which it was filed
    head BLOB NOT NULL          -- author, signature, and hashes of the messages that are not here
) STRICT;

-- Which clocks of an author are in which batch: `count` consecutive clocks in consecutive places.
CREATE TABLE runs (
    author INTEGER NOT NULL,
    first INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    place INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (author, first, batch, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,     -- the number of its batch, times 64, and its place there
    status INTEGER NOT NULL,    -- 0 shown, 1 delivered, 2 held, 3 carried, 4 only here because its batch is
    clock INTEGER NOT NULL,     -- of its author
    conversation INTEGER,       -- where it was shown
    micros INTEGER,             -- what history is sorted by; of a held message, the order in which it came
    logical INTEGER,
    flags INTEGER,              -- 1 fetched, 2 late, 4 with a clock that is off
    sent INTEGER,               -- by its author's own clock, less micros
    start INTEGER,              -- where in the body its text begins, from 1
    stamp BLOB NOT NULL,
    body BLOB NOT NULL,
    opened BLOB                 -- the body, where what travels is sealed
) STRICT;

-- The order of history, for messages up to `indexed`. Conversation 0 holds messages that were delivered and show
-- nothing.
CREATE TABLE history (
    conversation INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    logical INTEGER NOT NULL,
    author INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (conversation, micros, logical, author, clock, id)
) STRICT, WITHOUT ROWID;

-- Messages up to `indexed` that are held back or carried.
CREATE TABLE waiting (
    id INTEGER PRIMARY KEY
) STRICT;

-- Every sequence of three letters, in lower case, in messages up to `searched`.
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
-- Segments are merged piece by piece in idle time. FTS5 by itself merges within commits, for seconds at a time.
INSERT INTO words (words, rank) VALUES ('automerge', 0);
INSERT INTO words (words, rank) VALUES ('deletemerge', 30);

-- For people: SELECT * FROM chat. Times are UTC, by each author's own clock.
CREATE VIEW chat AS
SELECT
    strftime('%Y-%m-%d %H:%M:%S', (m.micros + m.sent) / 1000000, 'unixepoch') AS time,
    coalesce((SELECT min(alias) FROM aliases WHERE person = p.person), r.name, p.person) AS author,
    CASE c.kind
        WHEN 'direct' THEN coalesce((SELECT min(alias) FROM aliases WHERE person = c.name),
                                    (SELECT name FROM records WHERE person = c.name), c.name)
        WHEN 'all' THEN 'all'
        ELSE c.name
    END AS conversation,
    -- No text controls the terminal that it is shown on.
    replace(replace(CAST(substr(coalesce(m.opened, m.body), m.start) AS TEXT), char(27), '?'), char(155), '?') AS text
FROM messages m
JOIN batches b ON b.number = m.id >> 6
JOIN conversations c ON c.id = m.conversation
LEFT JOIN processes p ON p.number = b.author
LEFT JOIN records r ON r.person = p.person
WHERE m.status = 0
ORDER BY m.micros, m.logical;

-- Hinted handoff: messages kept for absent peers, each sealed for one of its recipients.
CREATE TABLE parcels (
    message TEXT NOT NULL,      -- PROCESS:CLOCK
    recipient TEXT NOT NULL,    -- a process
    sealed BLOB NOT NULL,
    signature BLOB NOT NULL,    -- its author's, over the rest
    UNIQUE (message, recipient)
) STRICT;
