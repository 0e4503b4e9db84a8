/**
 * Archives of official weights, unpacked. The largest ones come as a gzipped tar cut into parts (`*_chunked.tar.gz.part_aa`,
 * `_ab`, ...): put together they are one archive with one `.pth`. It must be unpacked to disk, since a zip's directory lies
 * at its end; this streams through the parts once, with no more than a few buffers in memory.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { requirePath } from '../arguments';
import { writeFileAtomic } from '../atomic-write';
import type { Sink } from '../byte-source';
import { CheckpointError, quote } from '../errors';
import { explained } from '../explain-file';

/** Weights hardly compress; an archive that claims more than this many times its size is no honest one. */
const MAX_INFLATION = 8;

/**
 * Unpacks the files of weights (`.pth`, `.pt`, `.ckpt`, `.bin`, `.safetensors`) of a `.tar.gz` into `folder`, ignoring the archive's own folders.
 *
 * @param parts the archive, or its parts in order; the first part alone (`.part_aa`) stands for all that lie beside it
 * @returns paths of the files, each written as a whole
 * @throws CheckpointError `truncated` where a part is missing or damaged, `too-large`, `not-found`, `disk-full`
 */
export async function unpackWeights(parts: string | readonly string[], folder: string): Promise<string[]> {
  for (const path of typeof parts === 'string' || !Array.isArray(parts) ? [parts] : parts)
    requirePath(path, 'unpackWeights');
  requirePath(folder, 'unpackWeights');
  const paths = typeof parts === 'string' ? await findParts(parts) : parts;
  const packed = await totalSize(paths);
  const archive = extract();
  const unpacking = unpackEntries(archive, folder, MAX_INFLATION * packed);
  const pumping = pipeline(concatenate(paths), createGunzip(), archive);
  const [pumped, unpacked] = await Promise.allSettled([pumping, unpacking]);
  if (unpacked.status === 'rejected' && unpacked.reason instanceof CheckpointError) throw unpacked.reason;
  if (pumped.status === 'rejected' || unpacked.status === 'rejected') {
    const cause = pumped.status === 'rejected' ? pumped.reason : (unpacked as PromiseRejectedResult).reason;
    const message = `${paths.join(' + ')} is not one whole .tar.gz (${String(cause)}); is a part missing or out of order?`;
    throw new CheckpointError('truncated', message, { cause });
  }
  if (unpacked.value.length > 0) return unpacked.value;
  throw new CheckpointError('not-found', `${paths.join(' + ')} holds no .pth, .pt, .ckpt, .bin or .safetensors file`);
}

async function findParts(first: string): Promise<string[]> {
  const [, stem] = /^(.*\.part_)aa$/.exec(basename(first)) ?? [];
  if (!stem) return [first];
  const names = await explained('read', dirname(first), () => readdir(dirname(first)));
  const siblings = names.filter((name) => name.startsWith(stem));
  return siblings.sort().map((name) => join(dirname(first), name));
}

async function totalSize(paths: readonly string[]): Promise<number> {
  let total = 0;
  for (const path of paths) {
    total += (await explained('open', path, () => stat(path))).size;
  }
  return total;
}

async function* concatenate(paths: readonly string[]): AsyncGenerator<Buffer> {
  for (const path of paths) yield* createReadStream(path);
}

async function unpackEntries(archive: ReturnType<typeof extract>, folder: string, limit: number): Promise<string[]> {
  const written: string[] = [];
  for await (const entry of archive) {
    const name = weightsName(entry.header);
    if (name) {
      if ((entry.header.size ?? 0) > limit) {
        throw new CheckpointError('too-large', `the archive claims ${entry.header.size} bytes for ${quote(name)}`);
      }
      const path = join(folder, name);
      await writeFileAtomic(path, (sink) => copy(entry, sink));
      written.push(path);
    } else entry.resume();
  }
  return written;
}

/** File name of an entry that holds weights; never a path, so nothing is written outside the folder. */
function weightsName({ name, type }: Header): string | undefined {
  const last = name.split(/[/\\]/).at(-1)!;
  return type === 'file' && /^\w[\w.-]*\.(pth|pt|ckpt|bin|safetensors)$/.test(last) ? last : undefined;
}

async function copy(entry: AsyncIterable<unknown>, sink: Sink): Promise<void> {
  for await (const chunk of entry) await sink(chunk as Uint8Array);
}
