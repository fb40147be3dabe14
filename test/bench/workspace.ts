/** The bench's temporary folder: a database for each server that has one, and what the bare server answers. */
import { copyFileSync, fsyncSync, mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
