-- Dead letters are settled: put back, mended, or given up. What became of one is written beside it; it stays where it is.
ALTER TABLE dead_letter ADD COLUMN settled_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE dead_letter ADD COLUMN settled text NOT NULL DEFAULT '';
