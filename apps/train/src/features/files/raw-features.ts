/** What a file of features holds, whatever its format, before anything of it is checked against anything else. */

/** What there may be of each image. */
export type FileOutput = 'cls' | 'patch_mean' | 'patches';

/** Rows of one array. */
export interface RawArray {
  readonly shape: readonly number[];
  /** Rows begin to end, row-major. */
  read(begin: number, end: number): Promise<Float32Array>;
}

export interface RawFeatures {
  readonly path: string;
  readonly hash: string;
  readonly arrays: ReadonlyMap<FileOutput, RawArray>;
  /** In place of them, patch tokens [rows, columns, numbers] of each picture by its name. */
  readonly pictures?: ReadonlyMap<string, RawArray>;
  readonly names: readonly string[] | undefined;
  /** Numbers, or texts with undefined where there is none. */
  readonly labels: readonly (number | string | undefined)[] | undefined;
  /** Texts, and lists of texts, that say something of the features. */
  readonly texts: Readonly<Record<string, string | readonly string[]>>;
  /** What there should be and is, in words, for a file without features. */
  readonly expected: string;
  close(): Promise<void>;
}

/** Names that arrays go by, ours first. */
export const ARRAY_NAMES: Readonly<Record<FileOutput | 'labels' | 'images', readonly string[]>> = {
  cls: ['cls', 'features', 'embeddings', 'embedding', 'feats'],
  patch_mean: ['patch_mean'],
  patches: ['patches', 'patch_tokens'],
  labels: ['labels', 'label', 'targets', 'target', 'y'],
  images: ['images', 'image', 'names', 'filenames', 'paths', 'files'],
};

export const FILE_OUTPUTS: readonly FileOutput[] = ['cls', 'patch_mean', 'patches'];

/** The first of the names of an array that is there. */
export const nameOf = (what: keyof typeof ARRAY_NAMES, there: (name: string) => boolean): string | undefined =>
  ARRAY_NAMES[what].find(there);

/** For a file without features: what there should be and is. */
export const expectedArrays = (there: readonly string[]): string =>
  `expected is one of ${ARRAY_NAMES.cls.join(', ')} [images, numbers], or patches [images, rows, columns, numbers], or of each picture an array [rows, columns, numbers] by its name; it has ${there.slice(0, 8).join(', ') || 'nothing'}`;
