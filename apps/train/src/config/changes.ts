/** What differs between two configurations, and which settings a run may change while it goes on. */
import { hasNoEffect } from './no-effect';
import type { TrainConfig } from './train-config';
import { leaves, type Tree } from './tree';

export interface SettingChange {
  /** Dotted path. */
  readonly key: string;
  /** JSON. */
  readonly from: string;
  readonly to: string;
}

/** The settings in which `to` differs from `from`, in the order of the file. */
export function changedSettings(from: Tree, to: Tree): SettingChange[] {
  const before = new Map(leaves(from));
  return leaves(to).flatMap(([key, value]) => {
    const [old, now] = [JSON.stringify(before.get(key)), JSON.stringify(value)];
    return old === now ? [] : [{ key, from: old, to: now }];
  });
}

/** Settings that no weight of a run and no figure in its log depends on; where pictures and a frozen teacher lie is free, which they are is compared apart. */
const FREE = new Set([
  'train.dataset_path',
  'train.output_dir',
  'train.num_workers',
  'evaluation.eval_period_iterations',
  'franca.augment.device',
  'franca.distillation.teacher',
  'franca.data.max_bad_share',
  'franca.checkpoint.every',
  'franca.checkpoint.keep_last',
  'franca.checkpoint.keep_every',
  'franca.log.interval',
  'franca.log.picture_interval',
  'franca.knn.interval',
  'franca.ranks.check_every',
]);

/** Whether a run that goes on with this change is still the same run. */
export const keepsRun = ({ key }: SettingChange, config: TrainConfig): boolean =>
  FREE.has(key) || hasNoEffect(key, config);

/** `optim.epochs 50 -> 100`, joined by commas. */
export const describeChanges = (changes: readonly SettingChange[]): string =>
  changes.map(({ key, from, to }) => `${key} ${from} -> ${to}`).join(', ');

/** The changes as words of a command line. */
export const asOverrides = (changes: readonly SettingChange[]): string[] =>
  changes.map(({ key, to }) => `${key}=${/^"[\w./-]+"$/.test(to) ? to.slice(1, -1) : to}`);
