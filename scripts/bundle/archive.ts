/** One folder as one `.tar.xz`, the same bytes for the same files, and no larger than it may be. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from '../checks/workspace';
import { filesBelow } from './contents';
import { BundleError } from './errors';

export interface Compression {
  /** Options of xz. */
  readonly xz: readonly string[];
}

/** A filter for x86 code comes before xz's strongest preset: a minute of one core, and what every xz unpacks. */
export const SMALLEST: Compression = { xz: ['--x86', '--lzma2=preset=9e'] };
/** A tenth of the time, for what is thrown away again. */
export const FASTEST: Compression = { xz: ['-1', '-T0'] };

/** Files have no owner and no date of their own, and come in the order of their names. */
const REPRODUCIBLE = [
  ...['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=2020-01-01 00:00Z', '--format=gnu'],
  '--mode=u+rwX,go+rX,go-w',
];

/**
 * Packs `folder` as the one folder of `archive`; resolves to the bytes of it.
 * @throws {BundleError} without tar or xz, without room, or above `limit` bytes, with what is largest
 */
export async function pack(folder: string, archive: string, limit: number, { xz }: Compression): Promise<number> {
  const tar = archive.replace(/\.xz$/, '');
  await succeed('tar', ['-cf', tar, '-C', dirname(folder), ...REPRODUCIBLE, basename(folder)], 'install GNU tar');
  await succeed('xz', ['-f', ...xz, tar], 'install xz-utils');
  const { size } = statSync(archive);
  if (size > limit) {
    rmSync(archive);
    throw new BundleError(
      `${basename(archive)} has ${megabytes(size)} and may have ${megabytes(limit)}; before packing, its largest parts are\n${largest(folder)}`,
    );
  }
  return size;
}

async function succeed(program: string, args: string[], wayOut: string): Promise<void> {
  const { ok, output } = await run(program, args, { timeout: 1_800_000 });
  if (ok) return;
  if (output.includes('ENOENT')) throw new BundleError(`there is no ${program} here; ${wayOut}`);
  throw new BundleError(`${program}: ${output.trim()}`);
}

/** Bytes below each package of `node_modules`, and below each other folder; the first of them, a line each. */
function largest(folder: string): string {
  const bytes = new Map<string, number>();
  for (const path of filesBelow(folder)) {
    const part = /^(?:.*node_modules\/(?:@[^/]+\/)?[^/]+|[^/]+\/[^/]+|[^/]+)/.exec(path)![0];
    bytes.set(part, (bytes.get(part) ?? 0) + statSync(join(folder, path)).size);
  }
  const sorted = [...bytes].sort(([, a], [, b]) => b - a).slice(0, 12);
  return sorted.map(([part, size]) => `  ${megabytes(size).padStart(9)}  ${part}`).join('\n');
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Lines for `sha256sum -c`. */
export const checksums = (archives: readonly string[]): string =>
  archives
    .map((path) => `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${basename(path)}\n`)
    .join('');
