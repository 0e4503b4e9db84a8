/**
 * A model under the names of timm's `VisionTransformer`. Most are the official ones. A packed SwiGLU is `mlp.fc1` and `mlp.fc2`; registers are `reg_token`, and a model
 * with registers has no position for its class: that position is added to the class token, where it is all the same. A mask token has no place, nor have rotary positions.
 * Source: timm/models/vision_transformer.py (`_convert_dinov2`, `vit_giant_patch14_reg4_dinov2`) and timm/layers/mlp.py (`GluMlp`).
 */
import type { VitConfig } from '@franca/vit';
import { TrainError } from '../errors';
import { configMetadata } from '../features/config-of-file';
import type { ExportedWeights, ModelFile, ModelTensor } from './model-file';
import { ownTensors, valuesOf } from './official-names';

/** @throws TrainError `usage` for what timm's model cannot hold; `file` where a weight is missing */
export async function timmFile({ config, assumed, read, rasa }: ExportedWeights): Promise<ModelFile> {
  if (rasa.folded)
    throw new TrainError(
      'usage',
      "timm's VisionTransformer has no place for a folded RASA; give --rasa none for the model without it, or --format official",
    );
  if (config.ropeTheta !== undefined)
    throw new TrainError(
      'usage',
      "timm's VisionTransformer has no rotary positions (its Eva has, under other names); give --format official",
    );
  const own = (await ownTensors({ config, read })).filter(({ name }) => name !== 'mask_token');
  const { numRegisterTokens: R, classToken = true } = config;
  return {
    tensors: own.map((tensor) => (R > 0 && classToken ? withoutClassPosition(tensor, read) : tensor)).map(timmNamed),
    metadata: configMetadata({ config, assumed }),
    config: undefined,
    notes: [resampling(config)],
  };
}

const timmNamed = (tensor: ModelTensor): ModelTensor => ({
  ...tensor,
  name: tensor.name
    .replace('mlp.w12', 'mlp.fc1')
    .replace('mlp.w3', 'mlp.fc2')
    .replace(/^register_tokens$/, 'reg_token'),
});

/** The class token with its position added [1, 1, D], the table without it [1, N, D]. */
function withoutClassPosition(tensor: ModelTensor, read: ExportedWeights['read']): ModelTensor {
  const { name, shape } = tensor;
  const D = shape.at(-1)!;
  if (name === 'cls_token')
    return {
      ...tensor,
      read: async () => {
        const table = await valuesOf(read, 'pos_embed');
        return (await tensor.read()).map((value, i) => value + table[i]!);
      },
    };
  if (name !== 'pos_embed') return tensor;
  return {
    name,
    shape: [1, shape[1]! - 1, D],
    read: async () => (await tensor.read()).slice(D),
  };
}

function resampling({ interpolateAntialias, interpolateOffset, imgSize }: VitConfig): string {
  const here = `${interpolateAntialias ? 'antialiased' : 'not antialiased'}, offset ${interpolateOffset}`;
  return `timm resamples positions antialiased and without offset, here it is ${here}: at other sizes than ${imgSize} px its features ${interpolateAntialias && interpolateOffset === 0 ? 'agree' : 'differ'}`;
}
