/** Published data sets as a kind: recognised by the files that they came with, opened in their official parts. */

import { DataError } from '../errors';
import type { ImageSource } from '../images/image-source';
import type { Benchmark } from './benchmarks/benchmark';
import { openBenchmark } from './benchmarks/benchmarks';
import { withNotes } from './left-out';
import type { SourceKind, Split } from './source-kind';

export const benchmarkKind: SourceKind<'benchmark'> = {
  kind: 'benchmark',
  says: 'a published data set as it was downloaded, such as Food-101',
  labels: 'as published',
  prefixed: true,
  open: async (target, { split = 'train' }) => {
    const benchmark = await openBenchmark(target);
    try {
      return { ...withNotes(partOf(benchmark, split), benchmark.notes), close: benchmark.close };
    } catch (error) {
      await benchmark.close();
      throw error;
    }
  },
  validation: (target) => target,
};

/**
 * An official part; the test part is the validation part where there is no other.
 * @throws DataError not-found
 */
export function partOf({ facts, parts }: Benchmark, split: Split): ImageSource {
  const part = parts[split] ?? (split === 'val' ? parts.test : undefined);
  if (part) return part;
  const there = Object.keys(parts);
  if (split === 'train' && facts.published.train === undefined)
    throw new DataError(
      'not-found',
      `${facts.name} is a test set only; nothing can be trained on it, give data with a training part and test on this one`,
    );
  const says = facts.published[split] === undefined ? 'was published without' : 'lacks';
  throw new DataError('not-found', `${facts.name} ${says} a ${split} part here; it has ${there.join(' and ')}`);
}
