/** The options of the step that the campaign looks into: that of a preset at one batch size, or one that is tiny. */
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

/** The configuration and its overrides, as `franca-train` and `bench:torch` take them. */
export const stepConfig = (
  { preset, precision, dry }: Pick<StageContext, 'preset' | 'precision' | 'dry'>,
  images: number,
): { readonly preset: string; readonly overrides: string[] } => ({
  preset: dry ? 'cpu-tiny' : preset,
  overrides: [
    ...(dry ? TINY : []),
    `train.batch_size_per_gpu=${images}`,
    `franca.total_batch=${images}`,
    `franca.precision=${precision}`,
  ],
});

/** Images of a step where nothing else is said. */
export const imagesOf = ({ dry }: Pick<StageContext, 'dry'>): number => (dry ? 4 : 32);

/** The options of one step of `images` images, which is an update. */
export function stepOptions(context: StageContext, images: number = imagesOf(context)): DerivedOptions {
  const { preset, overrides } = stepConfig(context, images);
  return derive(loadConfig([preset], overrides).config, { size: 1, rank: 0, f16: context.precision === 'f16' });
}
