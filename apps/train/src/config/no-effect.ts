/** Settings of official files that this program accepts and has no use for, always or beside other settings; whoever sets one is told. */
import { COMMAND_LINE, defaultConfig, type ResolvedConfig } from './load';
import { presetNamed } from './presets';
import type { TrainConfig } from './train-config';
import { asTree, leaves, valueAt } from './tree';

interface Unused {
  readonly keys: RegExp;
  /** Under which other settings; absent: always. */
  readonly where?: (config: TrainConfig) => boolean;
  /** Why, or what to use. */
  readonly why: string;
}

const UNUSED: readonly Unused[] = [
  {
    keys: /^MODEL\.WEIGHTS$/,
    why: 'student.pretrained_weights starts from weights, --resume and --fork continue a run',
  },
  { keys: /^compute_precision\..*\.sharding_strategy$/, why: 'every device holds the whole model' },
  { keys: /^compute_precision\..*\.reduce_dtype$/, why: 'gradients are always f32' },
  { keys: /^compute_precision\..*\.buffer_dtype$/, why: 'there are no buffers' },
  {
    keys: /^compute_precision\.(teacher\.\w+|student\.\w+_head)\.mixed_precision\.param_dtype$/,
    why: 'everything computes in what student.backbone asks for; franca.precision sets it',
  },
  {
    keys: /^compute_precision\.student\.backbone\.mixed_precision\.param_dtype$/,
    where: ({ franca }) => franca.precision !== 'auto',
    why: 'franca.precision decides',
  },
  {
    keys: /^compute_precision\.grad_scaler$/,
    where: ({ franca, compute_precision: { student } }) =>
      franca.precision === 'f32' ||
      (franca.precision === 'auto' && student.backbone.mixed_precision.param_dtype === 'fp32'),
    why: 'it scales in f16 alone',
  },
  { keys: /^train\.saveckp_freq$/, why: 'franca.checkpoint.every sets it' },
  { keys: /^train\.cache_dataset$/, why: 'the official code does not read it either' },
  {
    keys: /^train\.high_resolution_finetune$/,
    why: 'franca-train highres starts from a backbone, franca-train pretrain --fork continues a whole run at another crop size',
  },
  {
    keys: /^train\.(use_inverse_block|roll)$/,
    where: ({ train }) => !train.use_block_masking,
    why: 'train.use_block_masking is false',
  },
  {
    keys: /^student\.arch$/,
    where: ({ franca: { vit } }) => vit.embed_dim !== null && vit.depth !== null && vit.num_heads !== null,
    why: 'franca.vit says all sizes',
  },
  { keys: /^student\.block_chunks$/, why: 'it only names blocks; files with chunks are read as they are' },
  {
    keys: /^student\.drop_path_(rate|uniform)$/,
    where: ({ franca: { distillation } }) => distillation.teacher !== null,
    why: 'a distilled student keeps all branches of its blocks',
  },
  {
    keys: /^student\.drop_path_uniform$/,
    where: ({ student }) => student.drop_path_rate === 0,
    why: 'student.drop_path_rate is 0',
  },
  {
    keys: /^(dino|ibot)\.head_n_prototypes$/,
    where: ({ franca: { distillation } }) => distillation.teacher !== null,
    why: 'a distilled student has as many prototypes as its teacher',
  },
  { keys: /^optim\.lr$/, why: 'the rate is optim.base_lr, scaled by the batch' },
  {
    keys: /^ibot\.head_/,
    where: ({ ibot }) => !ibot.separate_head,
    why: 'ibot.separate_head is false: the head of dino serves both',
  },
  {
    keys: /^franca\.(nesting|nesting_list)$/,
    where: ({ dino }) => !dino.MRL,
    why: 'dino.MRL is false: there is one level',
  },
];

/** Whether another value of the setting would change nothing of a run with this configuration. */
export const hasNoEffect = (key: string, config: TrainConfig): boolean => unusedBecause(key, config) !== undefined;

const unusedBecause = (key: string, config: TrainConfig): string | undefined =>
  UNUSED.find(({ keys, where }) => keys.test(key) && (where?.(config) ?? true))?.why;

const isNoPreset = (source: string): boolean => presetNamed(source) === undefined;

/**
 * One line for each reason, with the settings that somebody made and that do nothing here. Of presets nothing is said, as their headers explain them, and of
 * files nothing that repeats a default.
 * @param told sources to speak of; default all that are no presets
 */
export function settingsWithoutEffect(
  { config, sources }: ResolvedConfig,
  told: (source: string) => boolean = isNoPreset,
): string[] {
  const byReason = new Map<string, string[]>();
  const defaults = asTree(defaultConfig);
  for (const [key, value] of leaves(asTree(config))) {
    const source = sources.get(key);
    const why = unusedBecause(key, config);
    if (why === undefined || source === undefined || !told(source)) continue;
    const repeatsDefault = JSON.stringify(valueAt(defaults, key.split('.'))) === JSON.stringify(value);
    if (repeatsDefault && source !== COMMAND_LINE) continue;
    byReason.set(why, [...(byReason.get(why) ?? []), `${key}=${JSON.stringify(value)}`]);
  }
  return [...byReason].map(([why, settings]) => `without effect: ${settings.join(', ')}; ${why}`);
}
