/** What tells the images of a shard for cache keys: their versions in order, looked up once in a session. */
import { createHash } from 'node:crypto';
import { prefetch } from '@franca/data';
import type { ImageSet } from '../image-sets/image-set';

/** Text that tells images `first` up to, not including, `end` of a set. */
export type ImageVersions = (set: ImageSet, first: number, end: number) => Promise<string>;

/**
 * Versions are looked up when a shard is first asked for. Later passes over the same opened set are given the same features, even if a file
 * was changed in between: what is put together from several passes is of one state.
 */
export function createImageVersions(): ImageVersions {
  const known = new WeakMap<ImageSet, Map<string, Promise<string>>>();
  return (set, first, end) => {
    const shards = known.get(set) ?? new Map<string, Promise<string>>();
    known.set(set, shards);
    const shard = `${first} ${end}`;
    const versions = shards.get(shard) ?? hashVersions(set, first, end);
    shards.set(shard, versions);
    return versions;
  };
}

async function hashVersions(set: ImageSet, first: number, end: number): Promise<string> {
  const hash = createHash('sha256');
  const indices = Array.from({ length: end - first }, (_, i) => first + i);
  const versions = prefetch(indices, async (index) => set.version(index), { inFlight: 64 });
  for await (const version of versions) hash.update(JSON.stringify(version));
  return hash.digest('hex');
}
