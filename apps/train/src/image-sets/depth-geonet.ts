/**
 * GeoNet's prepared frames of NYU Depth v2, which Probe3D learns from: a folder of MATLAB files, each with `img`, `depth` and `norm`.
 *
 * `img` are floats less twice the mean colour, `depth` metres; both have a row and a column more than the 480 x 640 that are used.
 * Two of the files are bad and are left out, known by their places among the names of the whole set.
 */
import {
  DataError,
  type FileTree,
  isImageError,
  type MatNumbers,
  type MatValue,
  type PixelImage,
  readMatFile,
} from '@franca/data';
import { TrainError } from '../errors';
import type { DepthImages } from './depth-set';

const [ROWS, COLUMNS] = [480, 640];
/** Red, green, blue. */
const TWICE_MEAN = [2 * 122.175, 2 * 116.169, 2 * 103.508] as const;
/** Places of the bad files in the whole set, which has more than so many. */
const BAD = [6919, 21181];

const matFiles = (tree: FileTree): readonly string[] => tree.list('').filter((name) => /\.mat$/i.test(name));

/** Whether a tree is such a folder: MATLAB files and no picture of another kind. */
export const isGeonet = (tree: FileTree): boolean =>
  matFiles(tree).length > 0 && !tree.list('').some((name) => /\.(png|jpe?g)$/i.test(name));

export function geonetFrames(tree: FileTree, dataset: string): DepthImages {
  const all = matFiles(tree);
  const files = all.length > BAD[1]! ? all.filter((_, at) => !BAD.includes(at)) : all;
  if (files.length === 0) throw new TrainError('data', `${tree.name} has no .mat file`);
  const field = async (index: number, name: string, signal?: AbortSignal): Promise<MatNumbers> => {
    const path = `${tree.name}/${files[index]}`;
    return numbersOf(variablesOf(await tree.read(files[index]!, signal), path)[name], `${path} ${name}`);
  };
  return {
    dataset,
    split: 'train',
    total: files.length,
    length: files.length,
    classes: [],
    ignore: undefined,
    notes: [
      ...tree.notes,
      'learnt from frames as GeoNet prepared them',
      ...(files.length < all.length ? [`${all.length - files.length} bad files are left out, as in Probe3D`] : []),
    ],
    isGeonet: files.length < all.length,
    key: (index) => files[index]!,
    label: () => -1,
    read: async (index, signal) => pictureOf(await field(index, 'img', signal)),
    async depth(index, signal) {
      const { values, height, width, at } = cornerOf(await field(index, 'depth', signal), 1);
      const data = new Float32Array(height * width);
      for (let y = 0, i = 0; y < height; y++)
        for (let x = 0; x < width; x++, i++) data[i] = Math.max(0, values[at(y, x, 0)]!) || 0;
      return { width, height, data };
    },
    version: (index) => tree.version(files[index]!),
    depthVersion: (index) => tree.version(files[index]!),
  };
}

function variablesOf(bytes: Uint8Array, path: string): { readonly [name: string]: MatValue | undefined } {
  try {
    return readMatFile(bytes, path);
  } catch (error) {
    if (!(error instanceof DataError) || isImageError(error)) throw error;
    throw new DataError('corrupt-image', error.message, { cause: error });
  }
}

function numbersOf(value: MatValue | undefined, what: string): MatNumbers {
  if (value?.kind === 'numbers') return value;
  throw new DataError('corrupt-image', `${what} is missing; a prepared frame of GeoNet has img, depth and norm`);
}

/** The rows and columns that are used, and where a value of them lies: columns first. */
function cornerOf({ sizes, values }: MatNumbers, channels: number) {
  const [rows = 0, columns = 0, depth = 1, ...more] = sizes;
  if (rows < 1 || columns < 1 || depth !== channels || more.length > 0)
    throw new DataError(
      'corrupt-image',
      `a prepared frame of ${sizes.join(' x ')}, expected rows x columns x ${channels}`,
    );
  const at = (y: number, x: number, c: number): number => (c * columns + x) * rows + y;
  return { values, height: Math.min(rows, ROWS), width: Math.min(columns, COLUMNS), at };
}

function pictureOf(img: MatNumbers): PixelImage {
  const { values, height, width, at } = cornerOf(img, 3);
  const data = new Uint8Array(3 * height * width);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++, i++)
        data[i] = Math.min(255, Math.max(0, Math.trunc(values[at(y, x, c)]! + TWICE_MEAN[c]!)));
  return { width, height, channels: 3, data };
}
