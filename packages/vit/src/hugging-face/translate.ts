/**
 * A Hugging Face folder as one of our models: what its config.json says becomes a configuration, its tensors a virtual file under official names, in which
 * queries, keys and values are put together and biases that the family does without are zeros. Nothing is read before it is asked for.
 */
import { sizeOf } from '@franca/tensor';
import type { VitConfig } from '../config';
import { storedIn } from '../config-of-weights';
import { VitError } from '../errors';
import { vitSpecs } from '../specs';
import { CONFIG_KEY, encodeVitConfig } from '../stored-config';
import type { WeightFile } from '../weights';
import { describe } from './families';
import type { Fields } from './fields';
import { checkDepth, checkTensors, networkOf } from './network';
import { type Piece, piecesOf } from './pieces';

/** A tensor of the virtual file, in the form that `@franca/checkpoint` gives. */
export interface TranslatedTensor {
  readonly name: string;
  readonly dtype: 'f32';
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** Elements `[start, end)` in row-major order. */
export interface TranslatedRange {
  readonly start: number;
  readonly end: number;
}

/** A model of the transformers library under official names; goes wherever an open file of weights goes. */
export interface TranslatedWeights extends WeightFile {
  /** Class of the transformers library whose computation this is: `Dinov2Model`, `CLIPVisionModel`, ... */
  readonly family: string;
  readonly config: VitConfig;
  /** What differs from that class, and what of the file is left out, in words. */
  readonly notes: readonly string[];
  readonly tensors: ReadonlyMap<string, TranslatedTensor>;
  /** The configuration under `CONFIG_KEY`. */
  readonly metadata: Readonly<Record<string, string>>;
  readFloat32(name: string, range?: TranslatedRange): Promise<Float32Array<ArrayBuffer>>;
  /** The same as `readFloat32`: all tensors are f32 here. */
  read(name: string, range?: TranslatedRange): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * The model in a file with Hugging Face names. Nothing of it is read before it is asked for.
 * @param config what config.json of the same folder says, parsed
 * @throws VitError `config` for a field that says what this model cannot be, or contradicts the tensors; `weights` for tensors that are not those of the family, naming
 * the nearest one and the first that does not fit
 */
export function translateHuggingFace(file: WeightFile, config: Readonly<Record<string, unknown>>): TranslatedWeights {
  const description = describe(config);
  const { family, fields } = description;
  const said = family.config(fields);
  const network = networkOf(file, description);
  checkDepth(network, description);
  const pieces = piecesOf(family, fields, vitSpecs(said));
  const left = checkTensors(file, network, pieces, description);
  const own = ownConfig(file, said);
  const specs = Object.entries(vitSpecs(own)).filter(([name]) =>
    pieces.get(name)?.every((piece) => piece.name === undefined || network.own.has(piece.name)),
  );
  const tensors = new Map(specs.map(([name, { shape }]) => [name, tensorOf(name, shape)]));
  const read = async (name: string, range?: TranslatedRange): Promise<Float32Array<ArrayBuffer>> => {
    const found = tensors.get(name);
    if (!found) throw new VitError('weights', `${family.name} gives no tensor "${name}"`);
    const values = await assemble(file, network.own, pieces.get(name)!, sizeOf(found.shape));
    return range ? values.slice(range.start, range.end) : values;
  };
  return {
    family: family.name,
    config: own,
    notes: [...positionsAsSaid(own, said, family.notes), ...notesOn(left, fields, own)],
    tensors,
    metadata: { [CONFIG_KEY]: encodeVitConfig({ config: own, assumed: [] }) },
    readFloat32: read,
    read,
  };
}

const tensorOf = (name: string, shape: readonly number[]): TranslatedTensor => ({
  name,
  dtype: 'f32',
  shape,
  byteLength: 4 * sizeOf(shape),
});

/** The values of one tensor of ours. @throws VitError `weights` where the file gives another number of them than its shape says */
async function assemble(
  file: WeightFile,
  stored: ReadonlyMap<string, string>,
  pieces: readonly Piece[],
  size: number,
): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(size);
  let at = 0;
  for (const { name, shape, start, end } of pieces) {
    const theirs = name === undefined ? undefined : await file.readFloat32(stored.get(name)!);
    if (theirs && theirs.length !== sizeOf(shape))
      throw new VitError('weights', `"${name}" has ${theirs.length} values; its shape is [${shape.join(', ')}]`);
    if (theirs) values.set(end - start === theirs.length ? theirs : Float32Array.from(theirs).subarray(start, end), at);
    at += end - start;
  }
  return values;
}

/** What a config.json of the transformers library cannot say, the file's metadata may. */
const UNSAID: readonly (keyof VitConfig)[] = ['layerScale', 'interpolateOffset', 'interpolateAntialias'];

/** The configuration in the file's metadata, which says more, where it is that of config.json. @throws VitError `config` naming both */
function ownConfig(file: WeightFile, said: VitConfig): VitConfig {
  const stored = storedIn(file)?.config;
  if (!stored) return said;
  const usual: Partial<VitConfig> = { activation: 'gelu', normEps: 1e-6, preNorm: false, classToken: true };
  const [ours, theirs] = [
    { ...usual, ...stored },
    { ...usual, ...said },
  ];
  const odd = (Object.keys({ ...ours, ...theirs }) as (keyof VitConfig)[]).find(
    (key) => !UNSAID.includes(key) && ours[key] !== theirs[key],
  );
  if (odd)
    throw new VitError(
      'config',
      `${odd} is ${theirs[odd]} by config.json and ${ours[odd]} in the metadata "${CONFIG_KEY}"; they are not of one model`,
    );
  return stored;
}

/** What the library does with positions, unless the file's metadata say that this model does otherwise. */
function positionsAsSaid(own: VitConfig, said: VitConfig, notes: readonly string[]): readonly string[] {
  const { interpolateOffset: offset, interpolateAntialias: antialias } = own;
  if (offset === said.interpolateOffset && antialias === said.interpolateAntialias) return notes;
  return [
    `for images of another size positions are resampled as the metadata "${CONFIG_KEY}" say: offset ${offset}, ${antialias ? 'antialiased' : 'not antialiased'}`,
  ];
}

function notesOn(left: readonly string[], fields: Fields, { imgSize }: VitConfig): string[] {
  const side = Array.isArray(fields.image_size) ? fields.image_size[0] : fields.image_size;
  const cropped =
    side === imgSize
      ? []
      : [
          `images of ${side} px are ${imgSize} px of whole patches: the library leaves out what is right and below of them`,
        ];
  if (left.length === 0) return cropped;
  const what = left.length === 1 ? '1 tensor is' : `${left.length} tensors are`;
  return [
    ...cropped,
    `${what} not of the vision model or come after its features and are left out, such as ${left[0]}`,
  ];
}
