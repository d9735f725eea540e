-- Consecutive messages of a batch that were shown together are one row. Its columns are those of the first message,
-- except stamp and body, which hold those of all messages one after the other. NULL: the row is one message.
--
-- [[MICROS, LOGICAL, SENT, START, BODY, STAMP], ...]: for each message its micros less the row's, logical and sent,
-- where in body its text begins (from 1), and where it ends in body and in stamp.
ALTER TABLE messages ADD COLUMN parts TEXT;

-- Runs become an index that ends where history does. Runs of batches after `indexed` are found when the store is
-- opened.
DELETE FROM runs WHERE batch > coalesce((SELECT value FROM state WHERE name = 'indexed'), -1) >> 6;

-- For people: SELECT * FROM chat. Times are UTC, by each author's own clock.
DROP VIEW chat;
CREATE VIEW chat AS
WITH texts AS (
    SELECT id, conversation, micros, logical, sent, substr(coalesce(opened, body), start) AS text
    FROM messages WHERE status = 0 AND parts IS NULL
    UNION ALL
    SELECT messages.id, conversation, micros + (value ->> 0), value ->> 1, value ->> 2,
        substr(body, value ->> 3, (value ->> 4) - (value ->> 3) + 1)
    FROM messages, json_each(parts) WHERE status = 0 AND parts IS NOT NULL
)
SELECT
    strftime('%Y-%m-%d %H:%M:%S', (t.micros + t.sent) / 1000000, 'unixepoch') AS time,
    coalesce((SELECT min(alias) FROM aliases WHERE person = p.person), r.name, p.person) AS author,
    CASE c.kind
        WHEN 'direct' THEN coalesce((SELECT min(alias) FROM aliases WHERE person = c.name),
                                    (SELECT name FROM records WHERE person = c.name), c.name)
        WHEN 'all' THEN 'all'
        ELSE c.name
    END AS conversation,
    -- No text controls the terminal that it is shown on.
    replace(replace(CAST(t.text AS TEXT), char(27), '?'), char(155), '?') AS text
FROM texts t
JOIN batches b ON b.number = t.id >> 6
JOIN conversations c ON c.id = t.conversation
LEFT JOIN processes p ON p.number = b.author
LEFT JOIN records r ON r.person = p.person
ORDER BY t.micros, t.logical;
