/** How the files of an export are used: lines for each library that reads them, which can be pasted. */
import { swigluHidden } from '@franca/nn';
import type { VitConfig } from '@franca/vit';
import { shellWord } from '../text/shell';
import type { ExportFormat } from './check-tensors';
import type { OnnxFile } from './onnx-files';

/** What the lines depend on. */
export interface UsedModel {
  /** Name of the folder. */
  readonly name: string;
  readonly format: ExportFormat;
  readonly config: VitConfig;
  readonly onnx: readonly Pick<OnnxFile, 'type' | 'name'>[];
}

/** The section of the card. */
export function usage({ name, format, config, onnx }: UsedModel): string {
  const first = (config.classToken === false ? 0 : 1) + config.numRegisterTokens;
  const types = onnx.map(({ type }) => type);
  const parts: (readonly [title: string, language: string, lines: readonly string[]])[] = [
    ...(format === 'hf' ? ([['Python, transformers', 'python', transformersLines(name, first)]] as const) : []),
    ...(format === 'timm' ? ([['Python, timm', 'python', timmLines(name, config)]] as const) : []),
    ...(format === 'hf' && types.length > 0
      ? ([['JavaScript, transformers.js', 'js', transformersJsLines(name, types)]] as const)
      : []),
    ...(onnx[0] ? ([['Python, onnxruntime', 'python', onnxLines(`${name}/${onnx[0].name}`)]] as const) : []),
    ...(format === 'timm' && (config.numRegisterTokens > 0 || config.ffnLayer === 'swiglu')
      ? []
      : ([['franca', 'sh', francaLines(name)]] as const)),
  ];
  const text = parts.map(([title, language, lines]) => `${title}:\n\n\`\`\`${language}\n${lines.join('\n')}\n\`\`\``);
  return `## Use\n\nIn these lines \`${name}\` is the folder of this file.\n\n${text.join('\n\n')}`;
}

const transformersLines = (name: string, first: number): readonly string[] => [
  'from PIL import Image',
  'from transformers import AutoImageProcessor, AutoModel',
  '',
  `folder = "${name}"`,
  'processor = AutoImageProcessor.from_pretrained(folder)',
  'model = AutoModel.from_pretrained(folder).eval()',
  'inputs = processor(images=Image.open("photo.jpg"), return_tensors="pt")',
  'outputs = model(**inputs)',
  'cls = outputs.pooler_output  # [1, D]',
  'tokens = outputs.last_hidden_state',
  `patches = tokens[:, ${first}:]  # [1, N, D], row by row`,
];

const transformersJsLines = (name: string, types: readonly string[]): readonly string[] => [
  "import { AutoModel, AutoProcessor, RawImage } from '@huggingface/transformers';",
  '',
  `const folder = './${name}';`,
  'const processor = await AutoProcessor.from_pretrained(folder);',
  `const model = await AutoModel.from_pretrained(folder, { dtype: '${types[0]}' }); // ${types.join(', ')}`,
  "const inputs = await processor(await RawImage.read('photo.jpg'));",
  'const { pooler_output: cls, patch_tokens: patches } = await model(inputs);',
];

const onnxLines = (file: string): readonly string[] => [
  'import onnxruntime',
  '',
  `session = onnxruntime.InferenceSession("${file}")`,
  '# pixels: float32 [batch, 3, height, width], normalised; sides are multiples of the patch size',
  'cls, patches = session.run(["pooler_output", "patch_tokens"], {"pixel_values": pixels})',
];

const francaLines = (name: string): readonly string[] => [
  `npx franca-train eval knn -w ${shellWord(name)} -d photos`,
  `npx franca-train features -w ${shellWord(name)} -d photos --patches --out photos.safetensors`,
];

function timmLines(name: string, config: VitConfig): readonly string[] {
  const { imgSize, patchSize, embedDim: D, depth, numHeads, numRegisterTokens: R, ffnLayer, layerScale } = config;
  const swiglu = ffnLayer === 'swiglu';
  // timm cuts the product off to a whole number
  const ratio = swiglu
    ? `(2 * ${swigluHidden(D, config.mlpRatio)} + 0.5) / ${D}, mlp_layer=SwiGLUPacked, act_layer=nn.SiLU`
    : config.mlpRatio;
  const more = [
    ...(layerScale === undefined ? [] : ['init_values=1e-5']),
    ...(R > 0 ? [`reg_tokens=${R}, no_embed_class=True`] : []),
    ...(config.preNorm ? ['pre_norm=True'] : []),
    ...(config.classToken === false ? ['class_token=False, global_pool="map"'] : []),
    ...(!swiglu && config.activation && config.activation !== 'gelu'
      ? [`act_layer="${config.activation.replace('quick_gelu', 'quickgelu')}"`]
      : []),
    ...(config.normEps === undefined ? [] : [`norm_layer=partial(nn.LayerNorm, eps=${config.normEps})`]),
  ];
  return [
    'from functools import partial',
    'from safetensors.torch import load_file',
    'from timm.layers import SwiGLUPacked',
    'from timm.models.vision_transformer import VisionTransformer',
    'from torch import nn',
    '',
    `folder = "${name}"`,
    'model = VisionTransformer(',
    `    img_size=${imgSize}, patch_size=${patchSize}, embed_dim=${D}, depth=${depth}, num_heads=${numHeads},`,
    `    mlp_ratio=${ratio}, num_classes=0, dynamic_img_size=True,`,
    ...(more.length > 0 ? [`    ${more.join(', ')},`] : []),
    ').eval()',
    'model.load_state_dict(load_file(f"{folder}/model.safetensors"))',
    'tokens = model.forward_features(pixels)',
  ];
}
