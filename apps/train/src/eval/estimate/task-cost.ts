/**
 * What an evaluation would cost, as it says itself: which features it reads, what it does with them in units that the time is linear in, and what it
 * holds. Counts come from the data, which are opened for it; how long a unit takes is measured on made-up features of the right width.
 */
import type { EvalBackend } from '@franca/evals';
import type { FeatureSession } from '../../features/session';
import type { ShardRequest } from '../../features/shard-files';
import type { ImageSet } from '../../image-sets/image-set';
import type { EvalContext } from '../context';
import type { ContextOptions, SharedSets } from '../shared-sets';

/** What a task may ask to say what it costs. */
export interface CostQuestion {
  readonly session: FeatureSession;
  readonly backend: EvalBackend;
  /** Opens data as the options name them. */
  readonly sets: SharedSets['sets'];
  readonly data: ContextOptions;
  /** That of the evaluation; asking it for features would compute them. */
  readonly context: EvalContext;
  /** To be closed at the end, with what is opened for the question alone. */
  readonly opened: Partial<AsyncDisposable>[];
}

export interface TaskCost {
  readonly reads: readonly FeatureReading[];
  readonly work: readonly Work[];
  /** What is held at once, beside the model and one shard. */
  readonly held: HeldBytes;
  /** What of it is not known, in words. */
  readonly unknown?: readonly string[];
}

/** Images that go through the model: once for the cache, or again and again. */
export interface FeatureReading {
  readonly set: ImageSet;
  readonly request: ShardRequest;
  /** Images that go through it and of which nothing is kept, such as random crops. Default: all of the set that the cache does not have. */
  readonly fresh?: number;
}

/** Work whose time grows as its units do. */
export interface Work {
  readonly name: string;
  readonly units: number;
  /** The same in small: as little as makes sense, times a power of two. */
  trial(scale: number): Trial;
}

export interface Trial {
  readonly units: number;
  run(): Promise<unknown>;
}

export interface HeldBytes {
  readonly host: number;
  /** On the device, which on a software adapter is the same memory. */
  readonly device: number;
}
