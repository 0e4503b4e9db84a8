/** The parts of a data set to be looked at: what it was taken for, each part as it opens, and what it was published with. */
import { type BenchmarkFacts, openBenchmark, openSplits, type Recognised, recogniseSource } from '@franca/data';
import { datasetName, type ImageSet, imageSet } from '../image-sets/image-set';
import { indexProgress } from '../text/index-progress';

/** All images where there are no parts. */
export type PartName = 'train' | 'val' | 'test' | 'all';

export interface LookedAt {
  readonly name: PartName;
  readonly set: ImageSet;
  readonly published?: number | undefined;
}

export interface DataParts {
  readonly recognised: Recognised;
  readonly benchmark?: BenchmarkFacts | undefined;
  readonly parts: readonly LookedAt[];
  readonly notes: readonly string[];
  close(): Promise<void>;
}

export interface SurveyOptions {
  /** Whether the index of each tar shard is to be kept beside it. */
  readonly indexBeside?: boolean | undefined;
}

/** @throws DataError as `recogniseSource`, `openBenchmark` and `openSplits` */
export async function openDataParts(spec: string, options: SurveyOptions = {}): Promise<DataParts> {
  const recognised = await recogniseSource(spec);
  const { benchmark, sources, notes, close } =
    recognised.kind === 'benchmark' ? await published(recognised.target) : await other(spec, options);
  const dataset = datasetName(spec, benchmark?.name);
  const parts = (['train', 'val', 'test', 'all'] as const).flatMap((name): LookedAt[] => {
    const source = sources[name];
    const set = source && imageSet(source, { dataset, split: name, notes, ...(benchmark && { benchmark }) });
    return set ? [{ name, set, ...(name !== 'all' && { published: benchmark?.published[name] }) }] : [];
  });
  return { recognised, benchmark, parts, notes, close };
}

type Sources = { readonly [Name in PartName]?: Parameters<typeof imageSet>[0] };
type Opened = Pick<DataParts, 'benchmark' | 'notes' | 'close'> & { readonly sources: Sources };

async function published(target: string): Promise<Opened> {
  const { facts, parts, notes, close } = await openBenchmark(target);
  return { benchmark: facts, sources: parts, notes, close };
}

async function other(spec: string, options: SurveyOptions): Promise<Opened> {
  const onIndexing = indexProgress(console.error);
  const { train, val, test, whole, notes, close } = await openSplits(spec, { ...options, onIndexing });
  // a test part that stands in for validation is one part
  const sources = whole ? { all: whole } : test === val ? { train, test } : { train, val, ...(test && { test }) };
  return { sources, notes: notes.filter((note) => !/stands? in for/.test(note)), close };
}
