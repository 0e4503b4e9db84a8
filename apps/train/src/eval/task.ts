/** What an evaluation is to the command line: a name, the data it reads, its own options, and a function from features to records and figures. */
import type { EvalBackend, EvalRecord, Outcome, PatchFeatures, SegmentationFeatures } from '@franca/evals';
import type { ReportSection } from '@franca/viz';
import type { Command } from 'commander';
import type { ImageFeatures } from '../features/sets';
import type { EvalSet } from '../image-sets/image-set';

/** One part of a data set, and how its pixels become input. */
export interface Part {
  readonly set: EvalSet;
  readonly preprocessing: string;
}

export interface ImagePart extends Part {
  readonly features: ImageFeatures;
}

/** Patch tokens of one part, batch by batch; may be iterated several times. */
export interface DensePart extends Part {
  readonly batches: AsyncIterable<PatchFeatures>;
}

/** Patch tokens with masks. */
export interface SegmentationPart extends Part {
  readonly batches: AsyncIterable<SegmentationFeatures>;
}

export interface Parts<P> {
  readonly train: P;
  readonly test: P;
}

/** What a task may ask for. Features are computed, or read from the cache, when they are asked for. */
export interface EvalContext {
  readonly backend: EvalBackend;
  /** Rows and columns of patches that the model sees; for tasks without a model, the paper's 16 x 16. */
  readonly grid: readonly [rows: number, columns: number];
  /** Images with classes. @throws TrainError `data` where there are none */
  images(): Promise<Parts<ImagePart>>;
  /** CLS tokens of other data, for comparison. */
  others(specs: Readonly<Record<string, string>>): Promise<Readonly<Record<string, ImagePart>>>;
  /** Patch tokens of any images. */
  patches(): Promise<Parts<DensePart>>;
  /** Patch tokens with masks. @throws TrainError `data` where there are none */
  segmentation(): Promise<Parts<SegmentationPart>>;
  /** Outcomes on a part as records. `total`: items of the whole part, in the outcome's own unit; default its images. */
  records(part: Part, outcomes: readonly Outcome[], total?: (outcome: Outcome) => number): EvalRecord[];
}

export interface EvalResult {
  readonly records: readonly EvalRecord[];
  /** What the page shows of it besides the table. */
  readonly section?: Omit<ReportSection, 'title'>;
}

export interface RunnableTask {
  /** On the command line. */
  readonly name: string;
  readonly about: string;
  /** Runs with the values of its own options; all are optional. */
  run(context: EvalContext, options: Readonly<Record<string, unknown>>): Promise<EvalResult>;
}

export interface EvalTask extends RunnableTask {
  /** The features that it reads: of images with classes, of patches, of patches with masks, or none. */
  readonly reads: 'images' | 'patches' | 'segmentation' | 'nothing';
  /** Adds the task's own options. */
  readonly options: (command: Command) => Command;
}
