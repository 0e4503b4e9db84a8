/**
 * Marks of running processes on what they share: files that say that somebody computes this, or reads that.
 *
 * Of several processes exactly one creates a file. It touches its mark every few seconds, so that a mark is known to be left behind by its age, and on the
 * same machine at once, by its process. Such a mark is taken away by renaming it, which only one process can do; had another placed a fresh one in
 * between, that is given back.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Touched so often, and left behind if it was not touched for so long. */
const BEAT_MS = 10_000;
export const LEFT_BEHIND_MS = 60_000;
/** A process of this machine that runs may be held up by its own work; after so long another has got its number. */
const HELD_UP_MS = 20 * 60_000;

/** What a mark says of its process, and what else. */
export interface MarkContent {
  readonly host?: string;
  readonly pid?: number;
  /** Bytes that its process will have written when it is done. */
  readonly bytes?: number;
}

export interface Mark extends AsyncDisposable {
  /** Says something else. */
  update(more: Pick<MarkContent, 'bytes'>): Promise<void>;
  release(): Promise<void>;
}

/** Places a mark; undefined where there is one, or no folder for it. */
export async function placeMark(path: string): Promise<Mark | undefined> {
  const owner = { host: hostname(), pid: process.pid, token: randomBytes(8).toString('hex') };
  let text = JSON.stringify(owner);
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if (isCode(error, 'EEXIST', 'ENOENT')) return undefined;
    throw error;
  }
  const touch = async (): Promise<void> => utimes(path, new Date(), new Date()).catch(() => {});
  const beat = setInterval(touch, BEAT_MS).unref();
  const release = async (): Promise<void> => {
    clearInterval(beat);
    // held up for too long it is another's by now
    if ((await readFile(path, 'utf8').catch(() => undefined)) === text) await rm(path, { force: true });
  };
  const update = async (more: Pick<MarkContent, 'bytes'>): Promise<void> => {
    text = JSON.stringify({ ...owner, ...more });
    await writeFile(path, text);
  };
  return { update, release, [Symbol.asyncDispose]: release };
}

/** A mark that was found. */
export interface SeenMark {
  readonly live: boolean;
  readonly content: MarkContent;
  readonly text: string;
}

/** Undefined where there is none any more. */
export async function readMark(path: string): Promise<SeenMark | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const content = contentOf(text);
    const patience = { running: HELD_UP_MS, gone: 0, unknown: LEFT_BEHIND_MS }[processOf(content)];
    return { live: Date.now() - mtimeMs < patience, content, text };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Removes a mark that was left behind; whether it was this process that did. */
export async function takeAway(path: string, { text }: SeenMark): Promise<boolean> {
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
  const taken = (await readFile(aside, 'utf8')) === text;
  if (!taken) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
  return taken;
}

/** A mark that was just created is still empty. */
function contentOf(text: string): MarkContent {
  try {
    return Object(JSON.parse(text)) as MarkContent;
  } catch {
    return {};
  }
}

/** What is known of the process of a mark. */
function processOf({ host, pid }: MarkContent): 'running' | 'gone' | 'unknown' {
  if (host !== hostname() || !Number.isSafeInteger(pid) || pid! <= 0) return 'unknown';
  try {
    process.kill(pid!, 0);
    return 'running';
  } catch (error) {
    return isCode(error, 'ESRCH') ? 'gone' : 'running';
  }
}

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '');
