/**
 * Official checkpoints split into backbone and heads, under the official names with flat blocks. The released Franca and
 * DINOv2 checkpoints, and those that their training writes, hold the same tensors under different names: in a dictionary
 * `teacher` (training: `model`, with `student.` and `teacher.` names), behind the prefixes of wrappers (`module.`,
 * `_fsdp_wrapped_module.`), with or without `backbone.`, blocks chunked or flat, training heads present or not. Others put
 * the same backbone under other sections and prefixes.
 */
import { checkOptions } from '../arguments';
import { CheckpointError, quote } from '../errors';
import { renameTensors, requireSource, type TensorSource } from '../tensor-source';
import { chunkOf, flattenBlockName } from './block-names';
import { chooseNetwork, isAuxiliary, type Network, withoutWrappers } from './networks';
import type { OfficialPart } from './part';
import { type OfficialReport, reportOn } from './report';

export interface OfficialCheckpoint {
  /** Every part under its official names without prefix (`blocks.0.attn.qkv.weight`, `mlps.0.0.weight`); empty if absent. */
  readonly parts: Readonly<Record<OfficialPart, TensorSource>>;
  readonly report: OfficialReport;
}

export interface OfficialOptions {
  /**
   * Which network to take where the file has several: the name of one (`student`, `model_ema`), or of a section that it is in. Default: the teacher, which is
   * what is evaluated and released; else the weights as they were trained; their moving average only where there is nothing else, or by name.
   */
  readonly network?: string | undefined;
}

const PART_OF: Readonly<Record<string, OfficialPart>> = {
  dino_head: 'dino_head',
  ibot_head: 'ibot_head',
  rasa_head: 'rasa_head',
};
/** A separate RASA file names its two kinds of layers without the prefix. */
const BARE_RASA = new Set(['pre_pos_layers', 'pos_pred']);

/**
 * Finds the network in a checkpoint and splits it into its parts, renaming only: nothing is read. What comes before its names is taken off, whatever it is.
 *
 * @throws CheckpointError `format` where there is neither a backbone nor a RASA head, where two tensors get one name,
 * where the position table is not a square grid, or for shards of FSDP; `missing-tensor` where blocks lack tensors, or for a network that the file does not
 * have; `argument` where it holds several networks and nothing says which is meant
 */
export function splitOfficial(source: TensorSource, options: OfficialOptions = {}): OfficialCheckpoint {
  requireSource(source, 'splitOfficial');
  checkOptions(options, ['network'], 'splitOfficial');
  const { network } = options;
  const stored = [...source.tensors.keys()];
  stored.forEach(refuseShard);
  const plain = stored.map(withoutWrappers);
  const { taken, others } = chooseNetwork(plain, network);
  const renamed: Record<OfficialPart, Map<string, string>> = {
    backbone: new Map(),
    dino_head: new Map(),
    ibot_head: new Map(),
    rasa_head: new Map(),
  };
  const chunks = new Set<number>();
  let used = 0;
  for (const [index, name] of stored.entries()) {
    const place = placeOf(plain[index]!, taken, others);
    if (!place) continue;
    used++;
    const key = flattenBlockName(place.key);
    const chunk = chunkOf(place.key);
    if (chunk !== undefined) chunks.add(chunk);
    const other = renamed[place.part].get(key);
    if (other !== undefined) {
      throw new CheckpointError('format', `${quote(other)} and ${quote(name)} are both ${place.part} ${quote(key)}`);
    }
    renamed[place.part].set(key, name);
  }
  const parts = {
    backbone: renameTensors(source, renamed.backbone),
    dino_head: renameTensors(source, renamed.dino_head),
    ibot_head: renameTensors(source, renamed.ibot_head),
    rasa_head: renameTensors(source, renamed.rasa_head),
  };
  const found = {
    prefix: taken.base,
    network: taken.name,
    others: others.map(({ name }) => name),
    ignored: stored.length - used,
    blockChunks: chunks.size,
  };
  return { parts, report: reportOn(parts, found) };
}

function refuseShard(name: string): void {
  if (!name.includes('_flat_param')) return;
  const advice = 'save it with FullStateDictConfig (torch.distributed.fsdp) and import that file';
  throw new CheckpointError('format', `${quote(name)} is one shard of an FSDP model; ${advice}`);
}

/** Part and name in it of a tensor; undefined where it is not of this network. */
function placeOf(
  name: string,
  { base, backbone }: Network,
  others: readonly Network[],
): { part: OfficialPart; key: string } | undefined {
  if (!name.startsWith(base)) return undefined;
  // sections of other networks may lie inside of this one's
  const inner = others.map((other) => (other.base.length > base.length ? other.base : other.backbone));
  if (inner.some((section) => !backbone.startsWith(section) && name.startsWith(section))) return undefined;
  const rest = name.slice(base.length);
  const [first = ''] = rest.split('.', 1);
  if (Object.hasOwn(PART_OF, first)) return { part: PART_OF[first]!, key: rest.slice(first.length + 1) };
  if (BARE_RASA.has(first)) return { part: 'rasa_head', key: rest };
  if (!name.startsWith(backbone) || isAuxiliary(first)) return undefined;
  return { part: 'backbone', key: name.slice(backbone.length) };
}
