/**
 * A session on features from files in place of a model: what evaluations ask for is read from rows, nothing is computed, and what the files have not got is refused. The record
 * says where features come from, by file and hash, and what the files say of model and preparation.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { PatchFeatures } from '@franca/evals';
import { type VitConfig, type VitModel, vitConfig } from '@franca/vit';
import { TrainError } from '../../errors';
import type { ImageSet } from '../../image-sets/image-set';
import type { Sides } from '../../image-sets/preparation';
import type { FeatureShard } from '../compute-shard';
import type { ExtractOptions } from '../extract';
import { createLeftOutImages, type LeftOutImages } from '../left-out-images';
import { noRasa } from '../rasa-of-weights';
import { imagesPerShard } from '../shard-files';
import type { StoredFeatures, StoredRequest } from '../stored-features';
import type { Weights } from '../weights';
import type { FeatureFile, Grid } from './feature-file';
import { type FoundRows, rowFinder } from './feature-rows';
import { checkRequest, checkWhole, otherGrid, sideOf } from './file-request';
import type { OpenFeatures } from './find-features';
import type { FileOutput } from './raw-features';

/** What stands for the preparation of images in records where no file says it. */
const UNKNOWN = 'not known: features from a file that does not say it';

/** What is known of features that a file brought. */
export interface FeatureOrigin {
  /** For records, in place of how this program would have prepared images. */
  readonly preprocessing: string;
  /**
   * Patch tokens of a picture at a size of its own, of which `preprocessing` makes an input of so many rows and columns of pixels; undefined where the files have not got it.
   * @throws TrainError `data` where they have others than such an input has
   */
  whole(set: ImageSet, index: number, input: Sides, preprocessing: string): Promise<PatchFeatures | undefined>;
}

/** What a session on files has in place of a model's. */
export interface FileReading {
  readonly size: number;
  readonly model: VitModel;
  readonly weights: Weights;
  readonly leftOut: LeftOutImages;
  readonly origin: FeatureOrigin;
  shards(set: ImageSet, options: ExtractOptions): AsyncIterable<FeatureShard>;
  stored(set: ImageSet, request: StoredRequest): Promise<StoredFeatures>;
  /** @throws TrainError `data` where the files have not got it */
  requires(request: Omit<ExtractOptions, 'shard'>): void;
}

/** @throws TrainError `usage` where options contradict the files or leave open what nothing says */
export function readFiles(
  { files }: OpenFeatures,
  options: { readonly size?: number; readonly patchSize?: number; readonly maxBadShare?: number },
): FileReading {
  const said = patchSizeOf(files, options.patchSize);
  const size = sizeOf(files, said, options.size);
  const config = configOf(files, said, size);
  const first = files[0]!;
  const leftOut = createLeftOutImages(options.maxBadShare, 'have no features in the file (or could not be read)');
  const howFound = new Map<ImageSet, string | undefined>();
  const find = rowFinder(files);
  const found = (set: ImageSet): FoundRows => {
    const rows = find(set);
    if (howFound.has(set)) return rows;
    howFound.set(set, rows.note);
    if (rows.note !== undefined) console.error(`note: ${rows.note}`);
    for (const [index, row] of rows.rows.entries())
      if (row < 0) leftOut.add(set, index, `it is not in ${rows.file.path}`);
    return rows;
  };
  const requires: FileReading['requires'] = (request) => {
    for (const file of files) checkRequest(file, request, config.patchSize);
  };
  return {
    size,
    model: noModel(config, first.path),
    weights: weightsOf(files, config),
    leftOut: {
      ...leftOut,
      notes: (datasets) => [
        ...new Set(
          [...howFound].flatMap(([set, note]) => (note && (!datasets || datasets.includes(set.dataset)) ? note : [])),
        ),
        ...leftOut.notes(datasets),
      ],
    },
    origin: {
      preprocessing: files.map(({ said }) => said.preprocessing).find(Boolean) ?? UNKNOWN,
      whole: wholeReader(found, config.patchSize),
    },
    requires,
    async *shards(set, { shard: only, ...request }) {
      requires(request);
      const { file, rows } = found(set);
      const perShard = imagesPerShard({ model: { config, run: never } }, request);
      const count = Math.ceil(set.length / perShard);
      const end = only === undefined ? count : Math.min(only + 1, count);
      for (let number = only ?? 0; number < end; number++) {
        const images = imagesWithRows(rows, number * perShard, Math.min((number + 1) * perShard, set.length));
        if (images.length > 0) yield await readShard(file, images, rows, request);
      }
    },
    async stored(set, request) {
      requires(request);
      const { file, rows } = found(set);
      const images = imagesWithRows(rows, 0, set.length);
      const some = (begin: number, end: number) => images.subarray(begin, end).map((index) => rows[index]!);
      return {
        dim: file.dim,
        images,
        read: async (begin, end) => ({
          blocks: request.blocks > 0 ? [await readRows(file, 'cls', some(begin, end))] : [],
          ...(request.patchMean && { patchMean: await readRows(file, 'patch_mean', some(begin, end)) }),
        }),
      };
    },
  };
}

/** Reads patch tokens of single pictures, whose numbers of patches are held against their inputs. */
const wholeReader =
  (found: (set: ImageSet) => FoundRows, patchSize: number): FeatureOrigin['whole'] =>
  async (set, index, input, preprocessing) => {
    const { file, rows } = found(set);
    checkWhole(file, preprocessing);
    const row = rows[index]!;
    if (row < 0) return undefined;
    const grid: Grid = [input[0] / patchSize, input[1] / patchSize];
    const held = file.gridOf(row)!;
    if (held.join() !== grid.join())
      throw otherGrid(file, `${set.key(index)} of ${set.dataset}`, held, { grid, input, patchSize });
    return { dim: file.dim, grid, patches: await file.read('patches', row, row + 1) };
  };

const never = (): never => {
  throw new Error('features from files are not computed');
};

/** Numbers of the images from `begin` to `end` that have a row. */
const imagesWithRows = (rows: Int32Array, begin: number, end: number): Int32Array =>
  Int32Array.from(Array.from({ length: end - begin }, (_, i) => begin + i).filter((index) => rows[index]! >= 0));

async function readShard(
  file: FeatureFile,
  images: Int32Array,
  rowOf: Int32Array,
  { blocks = 0, patchMean, patches }: Omit<ExtractOptions, 'preparation'>,
): Promise<FeatureShard> {
  const [n, D] = [images.length, file.dim];
  const rows = images.map((index) => rowOf[index]!);
  const [height, width] = file.grid ?? [0, 0];
  return {
    index: { shape: [n], data: images },
    ...(blocks > 0 && { blocks: { shape: [n, 1, D], data: await readRows(file, 'cls', rows) } }),
    ...(patchMean && { patch_mean: { shape: [n, D], data: await readRows(file, 'patch_mean', rows) } }),
    ...(patches && { patches: { shape: [n, height * width, D], data: await readRows(file, 'patches', rows) } }),
  };
}

/** Rows in any order; those that follow one another are read at once. */
async function readRows(file: FeatureFile, output: FileOutput, rows: Int32Array): Promise<Float32Array> {
  const each = file.dim * (output === 'patches' ? file.grid![0] * file.grid![1] : 1);
  const values = new Float32Array(rows.length * each);
  for (let at = 0; at < rows.length; ) {
    let end = at + 1;
    while (end < rows.length && rows[end] === rows[end - 1]! + 1) end++;
    values.set(await file.read(output, rows[at]!, rows[at]! + end - at), at * each);
    at = end;
  }
  return values;
}

/** Rows of a square of patches; undefined of anything else. */
const squareOf = (grid: Grid | undefined): number | undefined => (grid && grid[0] === grid[1] ? grid[0] : undefined);

/** The side of a patch: as is given, else as the files say. */
function patchSizeOf(files: readonly FeatureFile[], given: number | undefined): number | undefined {
  const [{ path, said }] = files as [FeatureFile];
  if (given !== undefined && said.patchSize !== undefined && given !== said.patchSize)
    throw new TrainError(
      'usage',
      `${path} holds features of patches of ${said.patchSize} px; leave out --patch-size ${given}`,
    );
  return given ?? said.patchSize;
}

/** The side of the input: as the files say, else as is given; what only patches depend on is open without them, and where they are of no square. */
function sizeOf(files: readonly FeatureFile[], patchSize: number | undefined, given: number | undefined): number {
  const [{ path, grid: held, has, said }] = files as [FeatureFile];
  const rows = squareOf(held);
  if (has.has('patches') && rows === undefined && patchSize === undefined)
    throw new TrainError(
      'usage',
      `${path} has pictures of ${held ? held.join(' x ') : 'their own numbers of'} patches and does not say how large a patch is; give it with --patch-size, in pixels, as 14`,
    );
  const [prepared, counted] = [sideOf(said.preprocessing), rows && patchSize ? rows * patchSize : undefined];
  if (prepared !== undefined && counted !== undefined && prepared !== counted)
    throw new TrainError(
      'data',
      `${path} holds ${rows} x ${rows} patches of images of ${prepared} px, which are none of ${patchSize} px; is the side of a patch right?`,
    );
  const known = prepared ?? counted;
  if (known !== undefined && given !== undefined && given !== known)
    throw new TrainError('usage', `${path} holds features of input of ${known} px; leave out --size ${given}`);
  const size = known ?? given;
  if (rows === undefined) return size ?? UNSAID;
  if (size === undefined)
    throw new TrainError(
      'usage',
      `${path} has ${rows} x ${rows} patches and does not say the side of the input; give it with --size, as ${14 * rows} for patches of 14 px`,
    );
  if (size % rows === 0) return size;
  throw new TrainError(
    'usage',
    `${path} has ${rows} x ${rows} patches, which ${size} px do not divide into; give --size ${14 * rows}, say`,
  );
}

/** Of features without patches of a square nothing depends on it. */
const UNSAID = 224;

/** What is known of the model; one block, as there are outputs of one. */
function configOf(files: readonly FeatureFile[], said: number | undefined, size: number): VitConfig {
  const [
    {
      path,
      dim,
      grid,
      said: { config },
    },
  ] = files as [FeatureFile];
  if (config && config.embedDim !== dim)
    throw new TrainError(
      'data',
      `${path} has ${dim} numbers a row, and its configuration is of a model ${config.embedDim} wide`,
    );
  const rows = squareOf(grid);
  const patchSize = rows ? size / rows : (said ?? size);
  const base = config ?? vitConfig('small', { numHeads: 1 });
  return { ...base, embedDim: dim, depth: 1, imgSize: size, patchSize };
}

const gone = (path: string, what: string): TrainError =>
  new TrainError('data', `${path} holds features and no model, ${what}; give the weights themselves`);

/** Says its configuration, and refuses to run. */
function noModel(config: VitConfig, path: string): VitModel {
  const refuse = (): Promise<never> => Promise.reject(gone(path, 'and this needs to run one'));
  const dispose = (): void => {};
  return { config, run: refuse, prepare: refuse, dispose, [Symbol.dispose]: dispose };
}

function weightsOf(files: readonly FeatureFile[], config: VitConfig): Weights {
  const [first] = files as [FeatureFile];
  const model = files.map(({ said }) => said.model).find(Boolean);
  const stem = first.path.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '');
  const name = model === undefined ? `features of ${stem}` : `${model} (features from a file)`;
  const identity = createHash('sha256')
    .update(JSON.stringify(files.map(({ hash }) => hash)))
    .digest('hex');
  const refuse = (what: string) => (): Promise<never> => Promise.reject(gone(first.path, what));
  return {
    file: first.path,
    config,
    assumed: [],
    read: refuse('and this needs its weights'),
    rasa: noRasa,
    name,
    model: name,
    outputAlone: {
      what: basename(first.path),
      hasPatches: files.every(({ has }) => has.has('patches')),
      hasPatchMean: files.every(({ has }) => has.has('patch_mean')),
      patchesBy: 'patches [images, rows, columns, numbers] may stand beside CLS in the file',
      side: squareOf(files[0]!.grid) && config.imgSize,
    },
    notes: [...new Set([...files.map(originNote), ...files.flatMap(({ said }) => said.notes)])],
    load: refuse('and this needs to run one'),
    head: refuse('and this needs its head'),
    identity: async () => `features ${identity}`,
    [Symbol.asyncDispose]: async () => {},
  };
}

function originNote({ path, hash, said: { model, preprocessing } }: FeatureFile): string {
  const file = `features from ${path} (SHA-256 ${hash.slice(0, 16)})`;
  const facts = [
    model === undefined ? 'which model they are of' : undefined,
    preprocessing === undefined ? 'how images were prepared' : undefined,
  ].filter((fact) => fact !== undefined);
  const told = [
    ...(model === undefined ? [] : [`model ${model}`]),
    ...(preprocessing === undefined ? [] : [`images as "${preprocessing}"`]),
  ];
  return [
    told.length > 0 ? `${file}, as it says: ${told.join(', ')}` : file,
    ...(facts.length > 0 ? [`it does not say ${facts.join(' or ')}`] : []),
  ].join('; ');
}
