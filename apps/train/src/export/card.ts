/**
 * The model card, `README.md`: what the model is and how it is used, what it learned from and how, what it was measured to do, how the files were checked, and the fields that
 * only its author can fill in. What is not known of the weights is said.
 */

import { swigluHidden } from '@franca/nn';
import type { VitConfig } from '@franca/vit';
import type { Weights } from '../features/open-weights';
import { amountOfBytes } from '../text/amounts';
import { dataSection, evaluationSection, recipeSection, widthsSection } from './card-of-run';
import { rasaSection } from './card-rasa';
import { type OnnxDifference, TOLERANCE } from './check-onnx';
import type { ExportFormat } from './check-tensors';
import { markdownTable } from './markdown';
import type { OnnxFile } from './onnx-files';
import { INSTALL_ONNX } from './onnx-runtime';
import type { RunFacts } from './run-facts';
import { TO_FILL_IN } from './to-fill-in';
import { usage } from './usage';

export interface CardInput {
  readonly name: string;
  readonly format: ExportFormat;
  readonly weights: Pick<Weights, 'config' | 'rasa' | 'notes' | 'step'>;
  /** Of the run that made the weights, where one is known. */
  readonly facts: RunFacts | undefined;
  /** Paths of figures in the folder. */
  readonly figures: readonly string[];
  readonly parameters: number;
  readonly onnx: readonly OnnxFile[];
  /** Undefined where nothing ran them. */
  readonly differences: readonly OnnxDifference[] | undefined;
  /** What the format cannot say. */
  readonly notes: readonly string[];
}

/** The whole text. */
export function modelCard(input: CardInput): string {
  const { name, facts, weights } = input;
  const sections = [
    frontMatter(input),
    `# ${name}`,
    describeModel(input),
    usage({ ...input, config: weights.config }),
    ...(weights.rasa.folded || weights.rasa.planes.length > 0 ? [rasaSection({ ...input, ...weights })] : []),
    ...(facts
      ? [
          dataSection(facts),
          recipeSection(facts, input.figures, weights.step),
          widthsSection(facts),
          evaluationSection(facts),
        ]
      : [
          `## Training\n\nThe weights came without the folder of a run: what they were trained on, how, and what they were measured to do is not known here. ${TO_FILL_IN} data, recipe and results, where you know them.`,
        ]),
    checksSection(input),
    notesSection(input),
    `## Licence and citation\n\n${TO_FILL_IN} the licence (\`license\` at the top of this file too), and how to cite the model.`,
  ];
  return `${sections.join('\n\n')}\n`;
}

const LIBRARIES: Readonly<Record<ExportFormat, readonly string[]>> = {
  hf: ['library_name: transformers'],
  timm: ['library_name: timm'],
  official: [],
};

function frontMatter({ format, onnx }: CardInput): string {
  const tags = [
    'vision',
    'self-supervised-learning',
    'franca',
    ...(format === 'hf' ? ['dinov2'] : []),
    ...(onnx.length > 0 ? ['onnx'] : []),
    ...(onnx.length > 0 && format === 'hf' ? ['transformers.js'] : []),
  ];
  return [
    '---',
    `license: # ${TO_FILL_IN} an identifier of https://huggingface.co/docs/hub/repositories-licenses`,
    ...LIBRARIES[format],
    'pipeline_tag: image-feature-extraction',
    'tags:',
    ...tags.map((tag) => `- ${tag}`),
    '---',
  ].join('\n');
}

function describeModel({ weights: { config, step }, parameters, facts }: CardInput): string {
  const { embedDim, depth, numHeads, patchSize, imgSize, numRegisterTokens: R } = config;
  const trained = facts
    ? `, the teacher of a self-supervised run${step === undefined ? '' : ` after ${step} updates`}`
    : '';
  const tokens =
    config.classToken === false
      ? 'patch tokens, which attention pools'
      : `a CLS token${R > 0 ? `, ${R} registers` : ''} and patch tokens`;
  return (
    `A Vision Transformer that turns pictures into features${trained}: ${depth} blocks of width ${embedDim}, ${numHeads} heads, ${feedForward(config)}, ` +
    `patches of ${patchSize} px, ${(parameters / 1e6).toPrecision(3)} million parameters. It gives ${tokens}; ` +
    `positions are made for ${imgSize} x ${imgSize} px, and any size in whole patches works.`
  );
}

const feedForward = ({ ffnLayer, embedDim, mlpRatio }: VitConfig): string =>
  ffnLayer === 'swiglu'
    ? `SwiGLU of ${swigluHidden(embedDim, mlpRatio)}`
    : `an MLP of ${Math.trunc(embedDim * mlpRatio)}`;

function checksSection({ onnx, differences }: CardInput): string {
  const read = 'The tensors of `model.safetensors` were read back and are those of the source, bit for bit.';
  if (onnx.length === 0) return `## Checks\n\n${read}`;
  const sizes = markdownTable(
    ['file', 'size'],
    onnx.map(({ name, bytes }) => [name, amountOfBytes(bytes)]),
  );
  if (!differences)
    return `## Checks\n\n${read} The ONNX files were not run: \`onnxruntime-node\` was not installed (\`${INSTALL_ONNX}\`).\n\n${sizes}`;
  const rows = differences.map(({ file, size, output, difference, largest, cosine, meanCosine }) => [
    file,
    size.join(' x '),
    output,
    difference.toExponential(1),
    largest.toFixed(2),
    meanCosine.toFixed(6),
    cosine.toFixed(6),
  ]);
  return (
    `## Checks\n\n${read} Each ONNX file ran on generated pictures in onnxruntime and in the engine of franca-train; of f32, a difference of more than ${TOLERANCE} of the largest value would have been refused.\n\n${sizes}\n\n` +
    markdownTable(
      ['file', 'pixels', 'output', 'largest difference', 'largest value', 'mean cosine of tokens', 'least'],
      rows,
    )
  );
}

function notesSection({ weights, notes, format }: CardInput): string {
  const { interpolateAntialias, interpolateOffset, imgSize } = weights.config;
  const own = `At other sizes than ${imgSize} px positions are resampled bicubically, ${interpolateAntialias ? 'antialiased' : 'not antialiased'}, with an offset of ${interpolateOffset}; the ONNX files do the same.`;
  const javascript =
    format === 'hf'
      ? [
          'transformers.js shrinks pictures without averaging over pixels, as Python and franca do: its features of large photographs differ a little.',
        ]
      : [];
  return `## Notes\n\n${[own, ...notes, ...javascript, ...weights.notes].map((note) => `* ${note}`).join('\n')}`;
}
