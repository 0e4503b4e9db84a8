/** What a published data set is once its own files are read: its parts, its metric, and how much of it there must be. */
import type { ImageSource } from '../../images/image-source';
import type { Split } from '../source-kind';

/** What its numbers are of: the share of images, the mean of each class's share, or the mean over classes of 11-point average precision. */
export type BenchmarkMetric = 'top-1' | 'mean-per-class' | '11-point-map';

/** What is known of it before a file is read. */
export interface BenchmarkFacts {
  /** As in records and in the paper's tables, such as `food-101`. */
  readonly name: string;
  /** As people call it, such as `Food-101`. */
  readonly title: string;
  readonly metric: BenchmarkMetric;
  /** How many classes and images of each part it was published with. */
  readonly published: { readonly classes: number } & { readonly [Part in Split]?: number };
  /** What the class identifiers are, where they are those of ImageNet: WordNet numbers, or places in the sorted list of the 1,000. */
  readonly classNames?: 'wnid' | 'index';
}

export interface Benchmark {
  readonly facts: BenchmarkFacts;
  /** The official parts that are there; they share one class list. */
  readonly parts: { readonly [Part in Split]?: ImageSource };
  /** What was assumed, drawn or passed over, in words. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** How one published data set lies on disk. */
export interface BenchmarkLayout {
  readonly facts: BenchmarkFacts;
  /** What to download and how it must lie, in a sentence, for messages. */
  readonly lies: string;
  /**
   * Where below `root` it lies: `root` itself, or the folder that its archive unpacks to. Looks at names only.
   * @returns undefined where it is not there
   */
  find(root: string): Promise<string | undefined>;
  /** Opens what `find` found. @throws DataError where a list names images that are not there, or a file is damaged */
  open(folder: string): Promise<Benchmark>;
}
