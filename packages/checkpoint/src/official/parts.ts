/**
 * Official checkpoints split into backbone and heads, under the official names with flat blocks. The released Franca and
 * DINOv2 checkpoints, and those that their training writes, hold the same tensors under different names: in a dictionary
 * `teacher` (training: `model`, with `student.` and `teacher.` names), behind the prefixes of wrappers (`module.`,
 * `_fsdp_wrapped_module.`), with or without `backbone.`, blocks chunked or flat, training heads present or not.
 */
import { CheckpointError, quote } from '../errors';
import { renameTensors, type TensorSource } from '../tensor-source';
import { chunkOf, flattenBlockName } from './block-names';
import type { OfficialPart } from './part';
import { type OfficialReport, reportOn } from './report';

export interface OfficialCheckpoint {
  /** Every part under its official names without prefix (`blocks.0.attn.qkv.weight`, `mlps.0.0.weight`); empty if absent. */
  readonly parts: Readonly<Record<OfficialPart, TensorSource>>;
  readonly report: OfficialReport;
}

export interface OfficialOptions {
  /** Which network to take where the file has both. Default: the teacher, which is what is evaluated and released. */
  readonly network?: 'teacher' | 'student';
}

/** Sections of a training checkpoint around the network. */
const OUTER = ['model', 'state_dict'];
/** Names that wrapping a module for training inserts. */
const WRAPPERS = new Set(['module', '_fsdp_wrapped_module', '_checkpoint_wrapped_module', '_orig_mod']);
const PART_OF: Readonly<Record<string, OfficialPart>> = {
  dino_head: 'dino_head',
  ibot_head: 'ibot_head',
  rasa_head: 'rasa_head',
};
/** A separate RASA file names its two kinds of layers without the prefix. */
const BARE_RASA = new Set(['pre_pos_layers', 'pos_pred']);

/**
 * Finds the network in an official checkpoint and splits it into its parts, renaming only: nothing is read.
 *
 * @throws CheckpointError `bad-format` where there is neither a backbone nor a RASA head, where two tensors get one name,
 * where the position table is not a square grid, or for shards of FSDP; `missing-tensor` where blocks lack tensors
 */
export function splitOfficial(source: TensorSource, options: OfficialOptions = {}): OfficialCheckpoint {
  const { prefix, names } = selectNetwork([...source.tensors.keys()], options.network);
  const renamed: Record<OfficialPart, Map<string, string>> = {
    backbone: new Map(),
    dino_head: new Map(),
    ibot_head: new Map(),
    rasa_head: new Map(),
  };
  const chunks = new Set<number>();
  for (const name of names) {
    const { part, key: stored } = unwrapName(name.slice(prefix.length));
    const key = flattenBlockName(stored);
    const chunk = chunkOf(stored);
    if (chunk !== undefined) chunks.add(chunk);
    const other = renamed[part].get(key);
    if (other !== undefined) {
      throw new CheckpointError('bad-format', `${quote(other)} and ${quote(name)} are both ${part} ${quote(key)}`);
    }
    renamed[part].set(key, name);
  }
  const parts = {
    backbone: renameTensors(source, renamed.backbone),
    dino_head: renameTensors(source, renamed.dino_head),
    ibot_head: renameTensors(source, renamed.ibot_head),
    rasa_head: renameTensors(source, renamed.rasa_head),
  };
  return {
    parts,
    report: reportOn(parts, { prefix, ignored: source.tensors.size - names.length, blockChunks: chunks.size }),
  };
}

/** The longest of the prefixes `model.teacher.`, `teacher.`, `model.`, ... that leads to a network, and its tensors. */
function selectNetwork(
  all: readonly string[],
  network: 'teacher' | 'student' | undefined,
): { prefix: string; names: string[] } {
  const under = (prefix: string) => all.filter((name) => name.startsWith(prefix));
  const outer = ['', ...OUTER.map((name) => `${name}.`)];
  const inner = (network ? [network] : ['teacher']).flatMap((name) => outer.map((before) => `${before}${name}.`));
  for (const prefix of inner) if (under(prefix).length > 0) return { prefix, names: under(prefix) };
  if (network) {
    throw new CheckpointError('missing-tensor', `the file has no ${network}; ${startsLike(all)}`);
  }
  for (const prefix of outer.slice(1)) if (under(prefix).length > 0) return { prefix, names: under(prefix) };
  return { prefix: '', names: [...all] };
}

function startsLike(names: readonly string[]): string {
  return `its names begin with ${[...new Set(names.map((name) => name.split('.')[0]!))].slice(0, 8).map(quote).join(', ')}`;
}

function unwrapName(name: string): { part: OfficialPart; key: string } {
  const segments = name.split('.').filter((segment) => !WRAPPERS.has(segment));
  if (segments.some((segment) => segment.includes('_flat_param'))) {
    const advice = 'save it with FullStateDictConfig (torch.distributed.fsdp) and import that file';
    throw new CheckpointError('bad-format', `${quote(name)} is one shard of an FSDP model; ${advice}`);
  }
  if (segments[0] === 'backbone') segments.shift();
  const first = segments[0] ?? '';
  if (Object.hasOwn(PART_OF, first)) return { part: PART_OF[first]!, key: segments.slice(1).join('.') };
  if (BARE_RASA.has(first)) return { part: 'rasa_head', key: segments.join('.') };
  return { part: 'backbone', key: segments.join('.') };
}
