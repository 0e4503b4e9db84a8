/**
 * Which networks a file of weights holds, whatever its sections and prefixes are called. A network is known by the names that
 * every ViT has: where `encoder.patch_embed.proj.weight` is, there is one under `encoder.`. Training checkpoints hold several,
 * the averaged weights beside plain ones, or a teacher and a student: one is taken, by a fixed order or by name.
 */
import { CheckpointError, quote } from '../errors';

/** A network among the names of a file. Names are without those that wrappers insert. */
export interface Network {
  /** What tells it from the others of the file: `teacher`, `model_ema`; `plain` where nothing comes before its names. */
  readonly name: string;
  /** What comes before the names of its backbone: empty, or ends with a point. */
  readonly backbone: string;
  /** What comes before its parts, of which the backbone is one. */
  readonly base: string;
}

export interface Choice {
  readonly taken: Network;
  readonly others: readonly Network[];
}

/** Names that wrapping a module for training inserts. */
const WRAPPERS = new Set(['module', '_fsdp_wrapped_module', '_checkpoint_wrapped_module', '_orig_mod']);
/** A backbone is where the first of these is that the file has; a file of a RASA head alone has the last ones. */
const MARKERS = ['patch_embed.proj.weight', 'cls_token', 'pos_embed', 'pos_pred.weight', 'pre_pos_layers.0.weight'];
const NEEDED = ['patch_embed.proj.weight', 'cls_token', 'pos_embed'];
/** Sections that repeat the names of a network and are none. */
const AUXILIARY = /^(optim\w*|(lr_)?scheduler\w*|(loss_)?scaler\w*|grad\w*)$/i;
const PLAIN = 'plain';
/** More than any honest file has; each is compared with all names. */
const MAX_NETWORKS = 16;

/** Whether a section belongs to training and not to a network: optimizer, scheduler, scaler of the loss. */
export const isAuxiliary = (section: string): boolean => AUXILIARY.test(section);

/** A tensor's name without those of wrappers. */
export function withoutWrappers(name: string): string {
  return name
    .split('.')
    .filter((segment) => !WRAPPERS.has(segment))
    .join('.');
}

/**
 * The network that is meant among `names`, which are without wrappers. `wanted` is the name of one, or of a section that it is in; where nothing is wanted,
 * a teacher comes before weights as they were trained, and those before their moving average.
 * @throws CheckpointError `format` where there is none, `missing-tensor` where none is the wanted one, `argument` where several are
 */
export function chooseNetwork(names: readonly string[], wanted: string | undefined): Choice {
  const networks = findNetworks(names);
  const meant = wanted === undefined ? networks : called(networks, wanted);
  if (meant.length === 0)
    throw new CheckpointError('missing-tensor', `the file has no network ${quote(wanted!)}; it has ${list(networks)}`);
  const best = Math.min(...meant.map(rank));
  const [taken, ...equal] = meant.filter((network) => rank(network) === best);
  if (equal.length === 0) return { taken: taken!, others: networks.filter((network) => network !== taken) };
  const what = `the file holds ${networks.length} networks, ${list(networks)}, and nothing says which is meant`;
  throw new CheckpointError('argument', `${what}; choose the network by its name`);
}

const list = (networks: readonly Network[]): string => networks.map(({ name }) => quote(name)).join(', ');

function findNetworks(names: readonly string[]): readonly Network[] {
  const all = new Set(names);
  const marked = MARKERS.map((marker) => stemsBefore(marker, names)).find((stems) => stems.length > 0);
  if (!marked) throw none(names);
  if (marked.length > MAX_NETWORKS)
    throw new CheckpointError('format', `the file holds ${marked.length} networks; give one with a single ViT`);
  const whole = marked.filter((stem) => NEEDED.every((name) => all.has(stem + name)));
  const stems = whole.length > 0 ? whole : marked;
  const bases = stems.map((stem) => stem.replace(/(^|\.)(backbone|rasa_head)\.$/, '$1'));
  const labels = distinct(new Set(bases).size === bases.length ? bases : stems);
  return stems.map((backbone, i) => ({ name: labels[i]!, backbone, base: bases[i]! }));
}

/** What comes before `marker` in the names that end with it. */
function stemsBefore(marker: string, names: readonly string[]): string[] {
  const ends = names.filter((name) => name === marker || name.endsWith(`.${marker}`));
  const stems = ends.map((name) => name.slice(0, -marker.length));
  return [...new Set(stems)].filter((stem) => !stem.split('.').some(isAuxiliary));
}

/** Prefixes without what all begin and end with. */
function distinct(prefixes: readonly string[]): string[] {
  let paths = prefixes.map((prefix) => prefix.split('.').filter((segment) => segment !== ''));
  if (paths.length === 1) return [paths[0]!.join('.') || PLAIN];
  const common = (at: number) => {
    const segment = paths[0]!.at(at);
    return segment !== undefined && paths.every((path) => path.at(at) === segment);
  };
  while (common(0)) paths = paths.map((path) => path.slice(1));
  while (common(-1)) paths = paths.map((path) => path.slice(0, -1));
  return paths.map((path) => path.join('.') || PLAIN);
}

/** The one of that name, else all within a section of that name. */
function called(networks: readonly Network[], wanted: string): readonly Network[] {
  const exact = networks.filter(({ name }) => name === wanted);
  return exact.length > 0 ? exact : networks.filter(({ backbone }) => `.${backbone}`.includes(`.${wanted}.`));
}

/** Teacher, then weights as they were trained, then their average. A section that says neither counts as trained. */
function rank({ base }: Network): number {
  const segments = base.split('.');
  if (segments.some((segment) => /(^|_)teacher(_|$)/i.test(segment))) return 0;
  return segments.some((segment) => /(^|[_-]|model)ema([_-]|model|$)|^averaged?|^swa([_-]|$)/i.test(segment)) ? 2 : 1;
}

/** The patch embedding under the names of the transformers library. */
const HUGGING_FACE = /(^|\.)embeddings\.(patch_embeddings(\.projection)?|patch_embedding)\.weight$/;

function none(names: readonly string[]): CheckpointError {
  const begin = [...new Set(names.map((name) => name.split('.').slice(0, 2).join('.')))];
  const found =
    names.length === 0
      ? 'it has no tensors at all'
      : `its names begin with ${begin.slice(0, 6).map(quote).join(', ')}${begin.length > 6 ? ', ...' : ''}`;
  const hub = names.some((name) => HUGGING_FACE.test(name))
    ? '; these are names of Hugging Face, whose meaning stands in the config.json of the same folder: give the folder, or both to translateHuggingFace of @franca/vit'
    : '; the names of DINOv2 and timm are known (patch_embed.proj.weight, cls_token, blocks.0.attn.qkv.weight, ...)';
  return new CheckpointError('format', `the file holds neither a backbone nor a RASA head; ${found}${hub}`);
}
