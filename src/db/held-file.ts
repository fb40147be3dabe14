/** A database file that nobody else can open until it is let go, so that another one can be put in its place. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { StartError } from '../errors.ts';
import { copyOwner } from '../lib/file-owner.ts';
import { isThere, makeFileOnce, syncFile, syncFolder } from '../lib/make-file.ts';
import { distantVersion } from './sqlite/generation.ts';
import { readHeader } from './sqlite/header.ts';
import { refuseUnmatchedFiles } from './sqlite/unmatched-files.ts';

const WAIT_MS = 1_000;
const CHUNK = 1024 * 1024;
/** What SQLite would take for a part of any file of that name. */
const BESIDE = ['-wal', '-shm', '-journal'];

export class HeldFile {
  readonly path: string;
  readonly isThere: boolean;
  #descriptor: number | undefined;
  #lock: Sqlite.Database | undefined;
  #version = 0;

  /** @throws StartError where a Roster, a command or another program has it open */
  constructor(path: string) {
    this.isThere = isThere(path);
    // Links and logs lie where a symbolic link leads to.
    this.path = this.isThere ? realpathSync(path) : path;
    if (!this.isThere) return;
    // Never closed before it is let go: with any descriptor of a file POSIX takes away the process's locks on it.
    this.#descriptor = openSync(this.path, 'r');
    this.#version = readHeader(this.#descriptor)?.version ?? 0;
    const isDatabase = statSync(this.path).size > 0 && isOfOneMaking(this.path);
    this.#lock = isDatabase ? lock(this.path) : undefined;
    // Left by whoever has only read it; so locked SQLite needs none.
    if (this.#lock) rmSync(`${this.path}-shm`, { force: true });
  }

  /** At any moment one of the two is at the path, whole. @param draft in the same folder, or one below it, that nobody has open */
  replaceBy(draft: string, aside: string): void {
    this.#finish(draft);
    if (this.isThere) {
      this.#takeInLog();
      this.#keep(aside);
    }
    for (const ending of BESIDE)
      if (existsSync(this.path + ending)) renameSync(this.path + ending, aside + ending);
    // Windows gives no file the name of one that is open; and where one is, nobody can be about to open it.
    if (process.platform === 'win32') this.release();
    if (this.isThere) renameSync(draft, this.path);
    else placeNew(draft, this.path);
    syncFolder(this.path);
  }

  release(): void {
    this.#lock?.close();
    this.#lock = undefined;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** One file, on the disk, of a generation that no log of the other one comes to. */
  #finish(draft: string): void {
    const db = new Sqlite(draft);
    const version = Number(db.pragma('user_version', { simple: true }));
    db.pragma('synchronous = FULL');
    db.pragma(`user_version = ${distantVersion(version, this.#version || version)}`);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    chmodSync(draft, 0o600);
    copyOwner(draft, this.isThere ? this.path : dirname(this.path));
    syncFile(draft);
  }

  /** Without a log it stays locked, and whoever waits to open it touches nothing beside the other one. */
  #takeInLog(): void {
    if (this.#lock === undefined) return;
    this.#lock.pragma('synchronous = FULL');
    const mode = this.#lock.pragma('journal_mode = DELETE', { simple: true });
    if (mode !== 'delete')
      throw new StartError(`${this.path} cannot be freed of its log; nothing was changed.`);
    for (const ending of BESIDE) rmSync(this.path + ending, { force: true });
  }

  #keep(aside: string): void {
    try {
      linkSync(this.path, aside);
    } catch {
      // Where there are no hard links; not by another name for it, which would leave nothing at the path.
      this.#copy(`${aside}.new`);
      copyOwner(`${aside}.new`, this.path);
      renameSync(`${aside}.new`, aside);
    }
    syncFolder(aside);
  }

  #copy(to: string): void {
    const file = openSync(to, 'w', 0o600);
    try {
      const bytes = Buffer.alloc(CHUNK);
      const next = (at: number) => readSync(this.#descriptor as number, bytes, 0, CHUNK, at);
      for (let at = 0, length = next(at); length > 0; at += length, length = next(at))
        writeSync(file, bytes, 0, length);
      fsyncSync(file);
    } catch (error) {
      rmSync(to);
      throw error;
    } finally {
      closeSync(file);
    }
  }
}

/** Else SQLite would mix them as soon as it is opened. */
function isOfOneMaking(path: string): boolean {
  try {
    refuseUnmatchedFiles(path);
    return true;
  } catch (error) {
    if (error instanceof StartError) return false;
    throw error;
  }
}

/** Undefined for what is damaged, or no database: nobody has that open. */
function lock(path: string): Sqlite.Database | undefined {
  const db = new Sqlite(path, { timeout: WAIT_MS });
  try {
    // In this mode it waits for whoever has it open, not for whoever writes alone.
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('begin exclusive; commit');
    return db;
  } catch (error) {
    db.close();
    const { code = '', message } = error as { code?: string; message: string };
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return undefined;
    throw new StartError(
      /^SQLITE_(BUSY|LOCKED)/.test(code)
        ? `${path} is in use: stop every Roster and command that has it open first. Nothing was changed.`
        : `${path} cannot be locked: ${message}. Nothing was changed.`,
    );
  }
}

/** Where somebody else has made one meanwhile, that one stays. */
function placeNew(draft: string, path: string): void {
  const { ino } = statSync(draft);
  makeFileOnce(path, (name) => renameSync(draft, name));
  if (statSync(path).ino !== ino)
    throw new StartError(`Somebody else has made ${path} meanwhile; nothing was restored.`);
}
