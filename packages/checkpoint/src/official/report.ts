/** What an official checkpoint turned out to hold: its parts checked to be whole, and described. */
import { CheckpointError, quote } from '../errors';
import type { TensorSource } from '../tensor-source';
import type { OfficialPart } from './part';

/** What an official checkpoint turned out to hold. */
export interface OfficialReport {
  /** What comes before the network's names in the file, wrappers left out: `teacher.`, `model.teacher.`, `encoder.`, or empty. */
  readonly prefix: string;
  /** Which network that is, as told from the others: `teacher`, `model`; `plain` where nothing comes before its names. */
  readonly network: string;
  /** Other networks that the file holds, by the names that choose them. */
  readonly others: readonly string[];
  /** Tensors per part. */
  readonly counts: Readonly<Record<OfficialPart, number>>;
  /** Tensors of the file outside that prefix: the other network, the optimizer. */
  readonly ignored: number;
  /** Backbone tensors under names that the official model does not have. */
  readonly unexpected: readonly string[];
  /** Shape of the backbone, unless the file holds a RASA head alone. */
  readonly backbone?: BackboneReport;
  /** Layers of the RASA head before the last one; undefined where there is no RASA head. */
  readonly rasaLayers?: number;
}

export interface BackboneReport {
  readonly depth: number;
  readonly embedDim: number;
  readonly patchSize: number;
  /** Side of the square grid of the position table: 37 for 518 px and 16 for 224 px at patch size 14; 0 for rotary positions, which have no table. */
  readonly grid: number;
  readonly registers: number;
  readonly ffn: 'mlp' | 'swiglu';
  /** Chunks that the block names had; 0 where they were flat. */
  readonly blockChunks: number;
}

/** Where the network was found in the file. */
interface Found extends Pick<OfficialReport, 'prefix' | 'network' | 'others' | 'ignored'> {
  readonly blockChunks: number;
}

const REQUIRED = ['cls_token', 'pos_embed', 'patch_embed.proj.weight', 'norm.weight', 'norm.bias'];
/** Names that stand for those which models of other families do without: attention over the patches for CLS, rotary positions for the table. */
const INSTEAD: Readonly<Record<string, string>> = { cls_token: 'attn_pool.latent', pos_embed: 'rope_embed.periods' };
/** Rotary positions have no tensor of their own in weights that were trained or translated here: the configuration beside them says so. */
const saysRotary = ({ metadata }: TensorSource): boolean => /"rope_theta"/.test(metadata['franca.vit'] ?? '');
const KNOWN =
  /^(cls_token|norm_pre\.(weight|bias)|attn_pool\..+|pos_embed|mask_token|register_tokens|storage_tokens|rope_embed\.periods|patch_embed\.proj\.(weight|bias)|norm\.(weight|bias)|blocks\..+)$/;

/** Checks that the parts are whole and describes them. @throws CheckpointError see `splitOfficial` */
export function reportOn(parts: Readonly<Record<OfficialPart, TensorSource>>, found: Found): OfficialReport {
  const { backbone, dino_head, ibot_head, rasa_head } = parts;
  return {
    prefix: found.prefix,
    network: found.network,
    others: found.others,
    counts: {
      backbone: backbone.tensors.size,
      dino_head: dino_head.tensors.size,
      ibot_head: ibot_head.tensors.size,
      rasa_head: rasa_head.tensors.size,
    },
    ignored: found.ignored,
    unexpected: [...backbone.tensors.keys()].filter((name) => !KNOWN.test(name)),
    ...(backbone.tensors.size > 0 && { backbone: describeBackbone(backbone, found.blockChunks) }),
    ...(rasa_head.tensors.size > 0 && { rasaLayers: countRasaLayers(rasa_head) }),
  };
}

function describeBackbone(backbone: TensorSource, blockChunks: number): BackboneReport {
  const { tensors } = backbone;
  const isRotary = !tensors.has('pos_embed') && saysRotary(backbone);
  const depth = countBlocks([...tensors.keys()], isRotary);
  const shapeOf = (name: string) => tensors.get(name)?.shape ?? [];
  const [embedDim = 0, , patchSize = 0] = shapeOf('patch_embed.proj.weight');
  return {
    depth,
    embedDim,
    patchSize,
    grid: tensors.has('pos_embed') ? gridOf(shapeOf('pos_embed'), tensors.has('cls_token')) : 0,
    registers: shapeOf('register_tokens')[1] ?? 0,
    ffn: tensors.has('blocks.0.mlp.w12.weight') ? 'swiglu' : 'mlp',
    blockChunks,
  };
}

/** Side of the grid of a position table [1, count, D]. @throws CheckpointError `format` where it is no square */
function gridOf(shape: readonly number[], hasClass: boolean): number {
  const grid = Math.sqrt((shape[1] ?? 0) - Number(hasClass));
  if (Number.isInteger(grid) && grid > 0) return grid;
  const rule = `${hasClass ? 'one class position and ' : ''}a square grid of patches ${hasClass ? 'are' : 'is'} expected`;
  throw new CheckpointError('format', `pos_embed has the shape [${shape}]; ${rule}`);
}

/** Tensors that a message names, of those that are missing. */
const NAMED = 5;

/** Blocks must count from 0 without a gap, and all have the tensors that any of them has. */
function countBlocks(names: readonly string[], isRotary: boolean): number {
  const blocks = new Map<number, Set<string>>();
  const suffixes = new Set<string>();
  for (const name of names) {
    const [, index, suffix] = /^blocks\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (index === undefined || suffix === undefined) continue;
    blocks.set(Number(index), (blocks.get(Number(index)) ?? new Set()).add(suffix));
    suffixes.add(suffix);
  }
  const depth = blocks.size;
  const isThere = (name: string): boolean =>
    names.includes(name) || names.includes(INSTEAD[name]!) || (name === 'pos_embed' && isRotary);
  const missing = REQUIRED.filter((name) => !isThere(name));
  let count = missing.length;
  for (let i = 0; i < Math.max(depth, 1); i++) {
    const have = blocks.get(i);
    const lacks = have ? suffixes.size - have.size : 1;
    // a forged file may lack billions, of which five are named
    if (lacks > 0 && missing.length < NAMED)
      for (const suffix of have ? suffixes : ['*']) if (!have?.has(suffix)) missing.push(`blocks.${i}.${suffix}`);
    count += lacks;
  }
  if (count === 0) return depth;
  const some = missing.slice(0, NAMED).map(quote).join(', ');
  const more = count > NAMED ? ` and ${count - NAMED} more` : '';
  const found = names.slice(0, 5).map(quote).join(', ');
  throw new CheckpointError('missing-tensor', `the backbone lacks ${some}${more}; it has ${found}, ...`);
}

/** `pre_pos_layers.{k}` count from 0 without a gap; `pos_pred` is the last layer. */
function countRasaLayers({ tensors }: TensorSource): number {
  const layers = [...tensors.keys()].filter((name) => name.startsWith('pre_pos_layers.')).length;
  const expected = [...Array.from({ length: layers }, (_, k) => `pre_pos_layers.${k}.weight`), 'pos_pred.weight'];
  const missing = expected.filter((name) => !tensors.has(name));
  if (missing.length === 0) return layers;
  throw new CheckpointError('missing-tensor', `the RASA head lacks ${missing.slice(0, 5).map(quote).join(', ')}`);
}
