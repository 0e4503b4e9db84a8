/** Opens a data set for training and validation: its own parts where it has them, else with a part held out. */

import type { OptionKinds } from '@franca/tensor';
import { checkOptions, DataError } from '../errors';
import type { ImageSource } from '../images/image-source';
import { HOLD_OUT_OPTIONS, type HoldOutOptions, holdOut } from '../loading/subset';
import { partOf } from './benchmark-kind';
import type { Benchmark, BenchmarkFacts } from './benchmarks/benchmark';
import { openBenchmark } from './benchmarks/benchmarks';
import { SOURCE_KINDS } from './kinds';
import { shareClasses } from './one-class-list';
import { type Recognised, recogniseSource } from './recognise';
import { checkOpening, OPEN_OPTIONS, type OpenOptions, type OwnPart } from './source-kind';

export interface SplitOptions extends Omit<OpenOptions, 'split' | 'classes'> {
  readonly heldOut?: HoldOutOptions;
  /** Whether a test part is looked for too, which may fetch files; that of a published data set always is. Default true. */
  readonly test?: boolean;
}

const { split: _, classes: __, ...OPENING } = OPEN_OPTIONS;
const OPTIONS: OptionKinds<SplitOptions> = { ...OPENING, heldOut: 'object', test: 'boolean' };
const TEST_OPTIONS: OptionKinds<Omit<OpenOptions, 'split' | 'classes'>> = OPENING;

export interface DataSplits {
  readonly train: ImageSource;
  /**
   * Has the class list of `train`; a label only where `train` has images of that class, else the class is unlisted. Of a published data set
   * labels do not depend on `train`; `notes` tell what is missing of it.
   */
  readonly val: ImageSource;
  /** The test part, which also is `val` where the data has no other; classes as in `val`. */
  readonly test?: ImageSource;
  /** The published data set that it is, where it is one. */
  readonly benchmark?: BenchmarkFacts;
  /** All images, where the data has no parts and some were held out. */
  readonly whole?: ImageSource;
  /** Where the parts come from, in words. */
  readonly origin: string;
  /** What opening had to pass over, and which classes the parts do not share, in words. */
  readonly notes: readonly string[];
  /** Releases what all parts hold. */
  close(): Promise<void>;
}

/** What something is tested on, and which part of its data set that is. */
export interface TestPart {
  readonly source: ImageSource;
  readonly part: 'test' | 'val' | 'all';
  readonly benchmark?: BenchmarkFacts;
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens all parts of a data set.
 *
 * A validation part of its own is a `val` (or `test`) folder, split, file or set of shards, or that of a published data set. A text that names
 * a part itself (`hf://a/b:train`, `ImageNet:split=TRAIN:...`) is taken at its word for training; the others are looked for beside it.
 * @throws what `openSource` throws, and DataError `not-found` where a published data set has no training part
 */
export async function openSplits(spec: string, options: SplitOptions = {}): Promise<DataSplits> {
  checkOpening('openSplits', options, OPTIONS);
  const { heldOut, test: wanted = true, ...opening } = options;
  if (heldOut) checkOptions('openSplits: heldOut', heldOut, HOLD_OUT_OPTIONS);
  const found = await recogniseSource(spec);
  if (found.kind === 'benchmark') {
    const benchmark = await openBenchmark(found.target);
    return closing(benchmark.close, async () => ({
      ...benchmarkSplits(benchmark, heldOut),
      close: benchmark.close,
    }));
  }
  const train = await SOURCE_KINDS[found.kind].open(found.target, { ...opening, split: 'train' });
  const opened = [train];
  const close = async (): Promise<void> => {
    for (const source of opened) await source.close?.();
  };
  const ownPart = async (part: OwnPart): Promise<ImageSource | undefined> => {
    const source = await openOwnPart(found, part, { ...opening, classes: train.classes });
    if (source) opened.push(source);
    return source;
  };
  return closing(close, async () => {
    const val = await ownPart('val');
    const test = val && wanted ? await ownPart('test') : undefined;
    // a test part may stand in for validation, and then it is one part
    const one = val && test && (await isSame(val, test));
    const parts = val ? ownParts(train, val, one ? val : test) : heldOutParts(train, heldOut);
    return { ...parts, notes: [...(found.note ? [found.note] : []), ...parts.notes], close };
  });
}

/** What `make` makes; where it fails, closes what is open. */
async function closing<T>(close: () => Promise<void>, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Opens what something is tested on, and all of it: the test part of a data set, else its validation part, else all its images. Nothing is held out.
 * Has the class list of the training part where that part tells it without being opened, else its own.
 * @throws what `openSource` throws
 */
export async function openTestPart(
  spec: string,
  options: Omit<OpenOptions, 'split' | 'classes'> = {},
): Promise<TestPart> {
  checkOpening('openTestPart', options, TEST_OPTIONS);
  const found = await recogniseSource(spec);
  if (found.kind === 'benchmark') return benchmarkTest(await openBenchmark(found.target));
  const test = await openOwnPart(found, 'test', options);
  const val = test ? undefined : await openOwnPart(found, 'val', options);
  const source = test ?? val ?? (await SOURCE_KINDS[found.kind].open(found.target, options));
  return {
    source,
    part: test ? 'test' : val ? 'val' : 'all',
    notes: [...(found.note ? [found.note] : []), ...(source.notes ?? [])],
    close: async () => source.close?.(),
  };
}

type Parts = Omit<DataSplits, 'close'>;

function ownParts(train: ImageSource, own: ImageSource, other: ImageSource | undefined): Parts {
  const val = shareClasses(train, own);
  const test = other === own ? val : other && shareClasses(train, other, 'test');
  const parts = [...new Set([train, val.part, ...(test ? [test.part] : [])])];
  return {
    train,
    val: val.part,
    ...(test && { test: test.part }),
    origin: `its own parts: ${parts.map(({ name }) => name).join('; ')}`,
    notes: [...new Set([...parts.flatMap(({ notes = [] }) => notes), ...val.notes, ...(test?.notes ?? [])])],
  };
}

function heldOutParts(whole: ImageSource, options: HoldOutOptions = {}): Parts {
  const { train, val: held } = holdOut(whole, options);
  const { part: val, notes } = shareClasses(train, held);
  return {
    train,
    val,
    whole,
    origin: `${val.length} of ${whole.length} images held out (seed ${options.seed ?? 0})`,
    notes: [...new Set([...(whole.notes ?? []), ...notes])],
  };
}

/** Parts of a published set share their classes already. */
function benchmarkSplits(benchmark: Benchmark, heldOut: HoldOutOptions | undefined): Parts {
  const { facts, parts } = benchmark;
  const train = partOf(benchmark, 'train');
  const notes = notesOf(benchmark);
  const { test, val = test } = parts;
  if (!val) {
    const held = heldOutParts(train, heldOut);
    return { ...held, benchmark: facts, notes: [...new Set([...notes, ...held.notes])] };
  }
  const own = Object.entries(parts).map(([part, { length }]) => `${part} ${length}`);
  const origin = `the official parts of ${facts.title}: ${own.join(', ')}`;
  return { train, val, ...(test && { test }), benchmark: facts, origin, notes };
}

function benchmarkTest(benchmark: Benchmark): TestPart {
  const { facts, parts, close } = benchmark;
  const { test, val } = parts;
  const part = test ? 'test' : val ? 'val' : 'all';
  return {
    source: test ?? val ?? partOf(benchmark, 'train'),
    part,
    benchmark: facts,
    notes: notesOf(benchmark),
    close,
  };
}

const notesOf = ({ notes, parts }: Benchmark): string[] => [
  ...new Set([...notes, ...Object.values(parts).flatMap((part) => part.notes ?? [])]),
];

/** A part besides the training part, if there is one. */
async function openOwnPart(
  { kind, target }: Recognised,
  part: OwnPart,
  options: OpenOptions,
): Promise<ImageSource | undefined> {
  const { open, validation } = SOURCE_KINDS[kind];
  const own = validation === 'held out' ? undefined : await validation(target, part);
  if (own === undefined) return undefined;
  try {
    return await open(own, { ...options, split: part });
  } catch (error) {
    if (error instanceof DataError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** Whether two parts are one. */
const isSame = async (a: ImageSource, b: ImageSource): Promise<boolean> =>
  a.length === b.length && (await a.version(0)) === (await b.version(0));
