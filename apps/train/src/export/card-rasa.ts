/** What a model card says of RASA: which files hold it, and the lines that apply it where an architecture has no place for it. */
import type { VitConfig } from '@franca/vit';
import { countedPlanes, type RasaOfWeights } from '../features/rasa-of-weights';
import type { ExportFormat } from './check-tensors';
import type { OnnxFile } from './onnx-files';

export interface ModelWithRasa {
  readonly format: ExportFormat;
  readonly rasa: RasaOfWeights;
  readonly config: VitConfig;
  readonly onnx: readonly OnnxFile[];
}

/** The section of the card. */
export function rasaSection({ format, rasa, config, onnx }: ModelWithRasa): string {
  const what = rasa.folded ? 'a folded layer' : `${countedPlanes(rasa.planes.length)} of the feature space`;
  const first = (config.classToken === false ? 0 : 1) + config.numRegisterTokens;
  const inGraph =
    onnx.length > 0
      ? ' The ONNX files hold it: their `patch_tokens` are without position, the patches in `last_hidden_state` are as the network gives them.'
      : '';
  const lines = rasa.folded ? foldedLines(first, config) : planeLines(first);
  const text = `## RASA\n\nWhere a patch lies is removed from its token by RASA: ${what}.${inGraph}`;
  if (format === 'official')
    return rasa.folded
      ? `${text} It is in \`model.safetensors\` as \`rasa.weight\` and \`rasa.bias\`, which \`@franca/vit\` applies.`
      : `${text} It is in \`rasa_head.safetensors\`, which \`franca-train\` applies.`;
  return `${text} The architecture in \`model.safetensors\` has no place for it; in Python:\n\n\`\`\`python\n${lines.join('\n')}\n\`\`\``;
}

const planeLines = (first: number): readonly string[] => [
  'from safetensors.torch import load_file',
  '',
  'heads = load_file(f"{folder}/rasa_head.safetensors")',
  'names = sorted(n for n in heads if n.startswith("pre_pos_layers"))',
  'names.sort(key=lambda n: int(n.split(".")[1]))',
  `patches = tokens[:, ${first}:]`,
  'for name in [*names, "pos_pred.weight"]:',
  '    plane = heads[name]  # [2, D], orthonormal rows',
  '    patches = patches - patches @ plane.T @ plane',
];

const foldedLines = (first: number, { embedDim, normEps = 1e-6 }: VitConfig): readonly string[] => [
  'import torch.nn.functional as F',
  'from safetensors.torch import load_file',
  '',
  'rasa = load_file(f"{folder}/rasa_layer.safetensors")',
  'hidden = model(**inputs, output_hidden_states=True).hidden_states[-1]  # before the final norm',
  `xhat = F.layer_norm(hidden[:, ${first}:], (${embedDim},), eps=${normEps})`,
  'patches = xhat @ rasa["rasa.weight"].T + rasa["rasa.bias"]',
];
