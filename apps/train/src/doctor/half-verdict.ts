/**
 * What a check of f16 kernels came to, kept in the user's cache: a file for each adapter with its driver, and each set of kernels, so that it is paid once. Before a
 * check its file says that one began: a driver that takes the process down leaves that behind, and it counts as failed.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { defaultCacheDir } from '@franca/data';
import type { HalfKernelCheck, HalfKernelFailure } from '@franca/tensor';

export interface HalfVerdict extends HalfKernelCheck {
  /** What the adapter and its driver call themselves. */
  readonly adapter: string;
  /** ISO 8601. */
  readonly date: string;
}

/** A check that began, and did not end or has yet to. */
interface Begun {
  readonly adapter: string;
  readonly date: string;
  readonly began: { readonly host: string; readonly pid: number };
}

/** What is known: a verdict, that a check did not come to its end, or nothing. */
export type KnownVerdict = HalfVerdict | 'unfinished' | undefined;

/** Raised when the check itself changes. */
const CHECK = 1;
/** A check on another machine that shares the cache is thought to go on for so long. */
const LONGEST_CHECK = 10 * 60_000;

const defaultFolder = (): string => join(defaultCacheDir(), 'f16');

/** The file of an adapter's verdict on kernels of these texts. */
export function verdictPath(adapter: string, texts: readonly string[], folder: string = defaultFolder()): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([CHECK, adapter, texts]))
    .digest('hex');
  return join(folder, `${hash.slice(0, 24)}.json`);
}

/** A file that is absent or broken tells nothing. */
export async function readVerdict(path: string): Promise<KnownVerdict> {
  const content = await contentOf(path);
  if (content && 'began' in content) return isGone(content) ? 'unfinished' : undefined;
  return content;
}

async function contentOf(path: string): Promise<HalfVerdict | Begun | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as HalfVerdict | Begun;
  } catch {
    return undefined;
  }
}

function isGone({ began: { host, pid }, date }: Begun): boolean {
  if (host !== hostname()) return Date.now() - Date.parse(date) > LONGEST_CHECK;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EPERM';
  }
}

/** Does a check between saying that it began and what it came to. One that rejects, as when the user ends it, leaves nothing; one that cannot be kept is done all the same. */
export async function keepVerdict(
  path: string,
  adapter: string,
  check: () => Promise<HalfKernelCheck>,
): Promise<HalfVerdict> {
  const date = new Date().toISOString();
  await write(path, { adapter, date, began: { host: hostname(), pid: process.pid } });
  try {
    const verdict = { adapter, date, ...(await check()) };
    await write(path, verdict);
    return verdict;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function write(path: string, content: HalfVerdict | Begun): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(temporary, JSON.stringify(content, undefined, 1), { flush: true });
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** The latest verdict on an adapter, whatever the kernels, and its file. */
export async function latestVerdict(
  adapter: string,
  folder: string = defaultFolder(),
): Promise<{ readonly path: string; readonly verdict: NonNullable<KnownVerdict> } | undefined> {
  const names = await readdir(folder).catch(() => []);
  const paths = names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
  const contents = await Promise.all(paths.map(async (path) => ({ path, content: await contentOf(path) })));
  const own = contents.filter(({ content }) => content?.adapter === adapter);
  const latest = own.sort((a, b) => b.content!.date.localeCompare(a.content!.date))[0];
  const verdict = latest && (await readVerdict(latest.path));
  return verdict && { path: latest.path, verdict };
}

/** What is said of a verdict, and whether f16 is sound. */
export interface Judgement {
  readonly sound: boolean;
  readonly text: string;
}

/** A verdict in words. */
export function judge(verdict: NonNullable<KnownVerdict>, path: string): Judgement {
  if (verdict === 'unfinished')
    return {
      sound: false,
      text: `a check of this adapter's f16 did not come to its end, so it may have taken the driver down; delete ${path} to try again`,
    };
  const { checked, failures, uncovered, seconds, date } = verdict;
  const amount = `${checked} f16 kernels checked against f32 on ${date.slice(0, 10)} in ${seconds.toFixed(1)} s`;
  const left = uncovered.map(({ kernel, reason }) => `${kernel}: ${reason}`);
  const rest = left.length > 0 ? `; ${left.length} not covered (${firstOf(left)})` : '';
  if (failures.length === 0) return { sound: true, text: `${amount}, none is wrong${rest}` };
  return {
    sound: false,
    text: `${amount}, ${failures.length} are wrong on this driver (${firstOf(failures.map(describe))})${rest}; delete ${path} to check again`,
  };
}

const describe = ({ kernel, problem }: HalfKernelFailure): string => `${kernel}: ${problem.split('\n')[0]}`;

/** The first few of a list, and how many there are more. */
function firstOf(texts: readonly string[]): string {
  const more = texts.length > 3 ? `, and ${texts.length - 3} more` : '';
  return `${texts.slice(0, 3).join('; ')}${more}`;
}
