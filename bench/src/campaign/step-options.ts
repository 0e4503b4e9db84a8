/** The step that the campaign looks into: that of a preset at one batch size, or one that is tiny. */
import { type FittedStep, fitPretraining } from '@franca/pretraining';
import type { Gpu } from '@franca/tensor';
import { type OpenGpuOptions, openGpu } from '@franca/tensor/node';
import { type DerivedOptions, derive, loadConfig } from 'franca-train';
import type { StageContext } from './stage';

/** What makes `cpu-tiny` take a second instead of minutes, on any adapter. */
export const TINY: readonly string[] = [
  'crops.global_crops_size=16',
  'crops.local_crops_size=12',
  'crops.local_crops_number=2',
  'student.patch_size=4',
  'dino.head_n_prototypes=64',
  'ibot.head_n_prototypes=64',
  'dino.head_hidden_dim=32',
  'ibot.head_hidden_dim=32',
  'dino.head_bottleneck_dim=16',
  'ibot.head_bottleneck_dim=16',
  'franca.vit.embed_dim=32',
  'franca.vit.depth=1',
  'franca.vit.num_heads=2',
];

type Kind = Pick<StageContext, 'preset' | 'precision' | 'dry'>;

/** The preset and its overrides, as `franca-train` and `bench:torch` take them. */
export const stepConfig = ({ preset, precision, dry }: Kind): { preset: string; overrides: string[] } => ({
  preset: dry ? 'cpu-tiny' : preset,
  overrides: [...(dry ? TINY : []), `franca.precision=${precision}`],
});

/** Images of a step where nothing else is said. */
export const imagesOf = ({ dry }: Kind): number => (dry ? 4 : 32);

/** The step for an adapter, one update of `images` images, with what training would keep and compute again on it. */
export function stepFor(
  context: Kind,
  { target }: Gpu,
  images: number = imagesOf(context),
): FittedStep<DerivedOptions> {
  const { preset, overrides } = stepConfig(context);
  const batch = [`train.batch_size_per_gpu=${images}`, `franca.total_batch=${images}`];
  const { config } = loadConfig([preset], [...overrides, ...batch]);
  return fitPretraining(derive(config, { size: 1, rank: 0, f16: context.precision === 'f16' }), target);
}

/** Opens a GPU as training does, without bounds checks; a dry stage takes what adapter there is. */
export const openForStage = ({ dry }: Kind, options: OpenGpuOptions = {}): Promise<Gpu> =>
  openGpu({ robustness: false, ...(dry ? {} : { adapter: 'gpu' }), ...options });
