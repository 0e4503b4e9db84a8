/** A configuration for people: each value with its source, and the numbers that follow from them. */
import type { HeadConfig } from '@franca/matryoshka-heads';
import type { DerivedOptions } from './derived-options';
import type { ResolvedConfig } from './load';
import { asTree, leaves } from './tree';

/** `path = value   source`, one line a setting. */
export function explainedLines({ config, sources }: ResolvedConfig): string[] {
  const rows = leaves(asTree(config)).map(([path, value]) => ({
    text: `${path} = ${JSON.stringify(value)}`,
    source: sources.get(path) ?? 'default',
  }));
  const width = Math.max(...rows.map(({ text }) => text.length));
  return rows.map(({ text, source }) => `${text.padEnd(width)}   ${source}`);
}

/** What the training step gets, in words. */
export function derivedLines(options: DerivedOptions): string[] {
  const { batch, gpus, crops, schedule, heads, masks, kept, vit } = options;
  const localSide = crops.local_crops_size / vit.patchSize;
  const levels = (head: HeadConfig) => head.levels.map(({ width, prototypes }) => `${width}: ${prototypes}`).join(', ');
  const [first, last] = [kept[0]!, kept.at(-1)!];
  return [
    `images per update     ${batch.total} (${batch.group} per device and micro-step, ${gpus === 1 ? '1 device' : `${gpus} devices`}, ${batch.accumulation} micro-steps)`,
    `learning rate         ${schedule.lr.toPrecision(6)} at its peak`,
    `iterations            ${schedule.iterations}, of which ${schedule.warmup} warm-up${schedule.freezeBackbone > 0 ? `, for the backbone after ${schedule.freezeBackbone} in which it is frozen` : ''}`,
    `backbone              ${vit.depth} blocks of ${vit.embedDim}, ${vit.numHeads} heads, ${options.precision}`,
    `patches               ${masks.grid.join(' x ')} of a global crop, ${localSide} x ${localSide} of a local one`,
    `masked patches        at most ${masks.bound} of a batch (${masks.strategy})`,
    `kept samples          ${first.global} global and ${first.local} local crops in the first block, ${last.global} and ${last.local} in the last`,
    `prototypes, DINO      ${levels(heads.dino)}`,
    `prototypes, iBOT      ${heads.ibot ? levels(heads.ibot) : 'shared with DINO'}`,
    ...options.notes.map((note) => `note                  ${note}`),
  ];
}
