/** Features in files of arrays: safetensors, NumPy's `.npz`, and a `.npy` of CLS tokens with a JSON of what is known about them beside it. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type ArrayFile, openNpy, openNpz, openSafetensors, type TensorFile } from '@franca/checkpoint';
import { hashFile } from '@franca/evals/node';
import { TrainError } from '../../errors';
import { parseJson } from '../../image-sets/parse-json';
import {
  ARRAY_NAMES,
  expectedArrays,
  FILE_OUTPUTS,
  type FileOutput,
  nameOf,
  type RawArray,
  type RawFeatures,
} from './raw-features';
import { listOf } from './said-of-features';

/** @throws CheckpointError as `openSafetensors`; TrainError `data` */
export async function openTensorFeatures(path: string): Promise<RawFeatures> {
  const file = await openSafetensors(path);
  const bytes = file.tensors.get('images')?.dtype === 'u8' ? await file.read('images') : undefined;
  const names = bytes ? listOf(new TextDecoder().decode(bytes as Uint8Array)) : listOf(file.metadata.images);
  return rawFeatures(file, { hash: await hashFile(path), names, texts: file.metadata });
}

/** @throws CheckpointError as `openNpz`; TrainError `data` where what is needed is pickled */
export async function openNpzFeatures(path: string): Promise<RawFeatures> {
  const file = await openNpz(path);
  const texts: Record<string, string | readonly string[]> = {};
  for (const [name, shape] of file.texts) {
    const list = await file.readTexts(name);
    texts[name] = shape.length === 0 ? list[0]! : list;
  }
  const own = nameOf('images', (name) => Array.isArray(texts[name]));
  const labels = nameOf('labels', (name) => Array.isArray(texts[name]));
  return rawFeatures(file, {
    hash: await hashFile(path),
    names: own === undefined ? undefined : listOf(texts[own]),
    texts,
    labels: labels === undefined ? undefined : listOf(texts[labels]),
    unread: file.unread,
  });
}

/** What a `.json` beside a `.npy` may take: the names of some million images. */
const MOST_JSON = 2 ** 28;

/** `x.json` for `x.npy`. */
export const besideNpy = (path: string): string => path.replace(/\.npy$/i, '.json');

/** @throws CheckpointError as `openNpy`; TrainError `data` */
export async function openNpyFeatures(path: string): Promise<RawFeatures> {
  const file = await openNpy(path);
  const beside = besideNpy(path);
  const said = existsSync(beside) ? await besideFields(beside) : {};
  const hashes = [await hashFile(path), ...(existsSync(beside) ? [await hashFile(beside)] : [])];
  return rawFeatures(file, {
    hash: hashes.join(' '),
    names: said.images,
    texts: said.texts ?? {},
    labels: said.labels,
    unread: file.unread,
  });
}

interface Beside {
  readonly images?: readonly string[];
  readonly labels?: readonly (number | string | undefined)[];
  readonly texts?: Readonly<Record<string, string | readonly string[]>>;
}

async function besideFields(path: string): Promise<Beside> {
  const { size } = await stat(path);
  if (size > MOST_JSON) throw new TrainError('data', `${path} has ${size} bytes; ${MOST_JSON} are read at most`);
  const value = parseJson(path, await readFile(path));
  const isTexts = (field: unknown): field is string[] =>
    Array.isArray(field) && field.every((item) => typeof item === 'string');
  const fields = Object.entries(typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {});
  const texts = fields.filter(([, field]) => typeof field === 'string' || isTexts(field)) as [string, string][];
  const { images, labels }: { images?: unknown; labels?: unknown } = Object.fromEntries(fields);
  if (labels !== undefined && !Array.isArray(labels)) throw new TrainError('data', `${path}: "labels" is no list`);
  return {
    ...(isTexts(images) && { images }),
    ...(Array.isArray(labels) && { labels: labels.map(asLabel) }),
    texts: Object.fromEntries(texts),
  };
}

const asLabel = (label: unknown): number | string | undefined =>
  typeof label === 'number' || typeof label === 'string' ? label : undefined;

interface Besides extends Pick<RawFeatures, 'hash' | 'names' | 'texts'> {
  readonly labels?: RawFeatures['labels'];
  readonly unread?: ArrayFile['unread'];
}

async function rawFeatures(file: TensorFile, { unread, ...known }: Besides): Promise<RawFeatures> {
  const { path, tensors, close } = file;
  const isThere = (name: string): boolean => tensors.has(name);
  const arrays = new Map<FileOutput, RawArray>();
  for (const output of FILE_OUTPUTS) {
    const name = nameOf(output, isThere) ?? (output === 'cls' && isThere('array') ? 'array' : undefined);
    if (name !== undefined) arrays.set(output, rowsOf(file, name));
  }
  const pickled = [...(unread ?? [])].find(
    ([name]) =>
      ['cls', 'labels', 'images'].some((what) => nameOf(what as 'cls', (one) => one === name)) || name === 'array',
  );
  if (pickled) throw new TrainError('data', `${path}: the array "${pickled[0]}" is of ${pickled[1]}`);
  const labels = nameOf('labels', isThere);
  const patchSize = isThere(PATCH_SIZE) ? `${[...(await file.readFloat32(PATCH_SIZE))]}` : undefined;
  return {
    ...{ path, arrays, close, ...known },
    ...(arrays.size === 0 &&
      arePictures(file) && { pictures: new Map(pictureNames(file).map((name) => [name, rowsOf(file, name)])) }),
    texts: { ...known.texts, ...(patchSize !== undefined && { [PATCH_SIZE]: patchSize }) },
    labels: known.labels ?? (labels === undefined ? undefined : Array.from(await file.readFloat32(labels))),
    expected: expectedArrays([...tensors.values()].map(({ name, shape }) => `${name} [${shape}]`)),
  };
}

/** NumPy's way to say a number beside arrays. */
const PATCH_SIZE = 'patch_size';

const pictureNames = ({ tensors }: Pick<TensorFile, 'tensors'>): string[] =>
  [...tensors.keys()].filter((name) => ![PATCH_SIZE, ...ARRAY_NAMES.labels, ...ARRAY_NAMES.images].includes(name));

/** Whether a file of arrays that are called nothing that is known has one [rows, columns, numbers] for each picture. */
export function arePictures(file: Pick<TensorFile, 'tensors'>): boolean {
  const shapes = pictureNames(file).map((name) => file.tensors.get(name)!.shape);
  return shapes.length > 0 && shapes.every(({ length, 2: dim }) => length === 3 && dim === shapes[0]![2]);
}

function rowsOf(file: TensorFile, name: string): RawArray {
  const { shape } = file.tensors.get(name)!;
  const each = shape.slice(1).reduce((product, extent) => product * extent, 1);
  return { shape, read: (begin, end) => file.readFloat32(name, { start: begin * each, end: end * each }) };
}
