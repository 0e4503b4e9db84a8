/**
 * The tensors of a ViT among those of a file, and their values by official name. A file is taken as whoever opened it gives it: its names may have anything
 * before them (`teacher.backbone.`), hold those that wrappers insert (`module.`), and be chunked (`blocks.0.3.`). A network is known by the names that every
 * ViT has: where `teacher.backbone.patch_embed.proj.weight` is, there is one under `teacher.backbone.`.
 */
import { sizeOf } from '@franca/tensor';
import { VitError } from './errors';

/** An open file of weights, as `@franca/checkpoint` gives it; anything of this form will do. */
export interface WeightFile extends WeightTable {
  /** The elements of one tensor as f32, row-major. */
  readFloat32(name: string): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/** What a file of weights says without its values. */
export interface WeightTable {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** Texts that are kept with the tensors; the configuration is among them where it was written (see `CONFIG_KEY`). */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Values of a weight, by official name; asked for one at a time so that a checkpoint need not be in memory whole. */
export type WeightSource = (name: string) => ArrayLike<number> | undefined | Promise<ArrayLike<number> | undefined>;

/** A tensor of the network under its official name. */
export interface NamedTensor {
  /** Its name in the file. */
  readonly stored: string;
  readonly shape: readonly number[];
}

export interface NetworkTensors {
  /** By official names, without what comes before them and with flat blocks. */
  readonly own: ReadonlyMap<string, NamedTensor>;
  /** Names in the file of all other tensors. */
  readonly outside: readonly string[];
}

/** Names that wrapping a module for training inserts. */
const WRAPPERS = /(^|\.)(?:(?:module|_fsdp_wrapped_module|_checkpoint_wrapped_module|_orig_mod)\.)+/g;
const MARKER = 'patch_embed.proj.weight';
const NEEDED = ['cls_token', 'pos_embed'];

/**
 * The weights of the ViT in a file, by official name; undefined for those that it does not have, and for a mask token of another width, as masked
 * autoencoders have. Biases that a family leaves out or takes out are zeros: of CLIP's patches, of DINOv3's keys.
 * @throws VitError `weights` where the file holds several networks
 */
export function weightsOf(file: WeightFile): WeightSource {
  const { own } = tensorsOf(file);
  const mask = own.get('mask_token');
  const width = own.get(MARKER)?.shape[0];
  const fits = !mask || width === undefined || sizeOf(mask.shape) === width;
  const before = own.get('norm_pre.weight');
  return (name) => {
    const found = name === 'mask_token' && !fits ? undefined : own.get(name);
    if (!found && before && name === 'patch_embed.proj.bias') return new Float32Array(sizeOf(before.shape));
    const biasMask = own.get(`${name}_mask`);
    return found && biasMask ? maskedBias(file, found, biasMask) : found && file.readFloat32(found.stored);
  };
}

/** A bias of which a mask of ones and zeros leaves a part. @throws VitError `weights` for other masks */
async function maskedBias(file: WeightFile, bias: NamedTensor, mask: NamedTensor): Promise<Float32Array> {
  const [values, kept] = [await file.readFloat32(bias.stored), await file.readFloat32(mask.stored)];
  if (kept.length !== values.length || !Array.from(kept).every((value) => value === 0 || value === 1))
    throw new VitError('weights', `"${mask.stored}" is no mask of ones and zeros for "${bias.stored}"`);
  return Float32Array.from(values, (value, i) => (kept[i] === 1 ? value : 0));
}

/** The tensors of the one network in a file. @throws VitError `weights` where it holds several, or two tensors of one name */
export function tensorsOf(file: WeightTable): NetworkTensors {
  requireFile(file);
  const names = [...file.tensors.keys()].map((stored) => ({ stored, plain: stored.replace(WRAPPERS, '$1') }));
  const prefix = prefixOf(names.map(({ plain }) => plain));
  const own = new Map<string, NamedTensor>();
  const outside: string[] = [];
  for (const { stored, plain } of names) {
    if (!plain.startsWith(prefix)) {
      outside.push(stored);
      continue;
    }
    const name = flatBlockName(plain.slice(prefix.length));
    const other = own.get(name);
    if (other) throw new VitError('weights', `"${other.stored}" and "${stored}" are both "${name}"; keep one of them`);
    own.set(name, { stored, shape: file.tensors.get(stored)!.shape });
  }
  nameRegisters(own);
  return { own, outside };
}

/** DINOv3's own files have registers under another name; where there are rotary positions they are what registers are here. */
function nameRegisters(own: Map<string, NamedTensor>): void {
  const storage = own.get('storage_tokens');
  if (!storage || !own.has('rope_embed.periods') || own.has('register_tokens')) return;
  own.delete('storage_tokens');
  own.set('register_tokens', storage);
}

/** What comes before the names of the one network: empty, or ends with a point. */
function prefixOf(names: readonly string[]): string {
  const all = new Set(names);
  const ends = names.filter((name) => name === MARKER || name.endsWith(`.${MARKER}`));
  const prefixes = [...new Set(ends.map((name) => name.slice(0, -MARKER.length)))];
  const has = (prefix: string) => (name: string) => all.has(prefix + name);
  const whole = prefixes.filter((prefix) => NEEDED.every(has(prefix)));
  // other families do without the one or the other
  const some = prefixes.filter((prefix) => NEEDED.some(has(prefix)));
  const [prefix = '', ...others] = [whole, some, prefixes].find((list) => list.length > 0) ?? [];
  if (others.length === 0) return prefix;
  const list = [prefix, ...others.slice(0, 4)].map((each) => `"${each}"`).join(', ');
  throw new VitError(
    'weights',
    `the file holds ${1 + others.length} networks, under ${list}, and nothing says which is meant; take one out: splitOfficial(file, { network }).parts.backbone of @franca/checkpoint goes in place of the file`,
  );
}

/** `blocks.<chunk>.<index>.` as `blocks.<index>.`: the index is global, so that the chunk says nothing. */
const flatBlockName = (name: string): string => name.replace(/^blocks\.\d+\.(\d+)\./, 'blocks.$1.');

/** @throws VitError `weights` for what is no open file */
export function requireFile(file: WeightTable): void {
  const given: unknown = file;
  if (typeof given === 'object' && given !== null && 'tensors' in given && given.tensors instanceof Map) return;
  throw new VitError('weights', `${whatIsNoFile(given)}; openCheckpoint(path) of @franca/checkpoint opens one`);
}

function whatIsNoFile(given: unknown): string {
  if (typeof given === 'string') return `weights come from an open file, not from its path "${given}"`;
  if (typeof given === 'object' && given !== null && 'then' in given)
    return 'weights come from an open file, not from the promise of one: await it';
  if (typeof given === 'object' && given !== null && 'tensors' in given)
    return 'the tensors of a file of weights are a Map from names to { shape }';
  return `weights come from an open file; ${given === null ? 'null' : typeof given} was given`;
}
