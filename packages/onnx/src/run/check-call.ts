/** What is asked of a model, refused where the file does not give it: parts from inside, images of other sizes. */
import type { FeatureRequest, ImageBatch } from '@franca/vit';
import { OnnxError } from '../errors';
import type { FoundOutputs } from './find-outputs';

const INNER: Readonly<Record<string, string>> = {
  registers: 'registers',
  prenorm: 'tokens before the final norm',
  attention: 'attention maps',
  qkv: 'queries, keys and values',
  blockTokens: 'tokens before the final norm',
  blockQkv: 'queries, keys and values',
};

/** @throws OnnxError `outputs` for what the file does not give */
export function checkRequest(request: FeatureRequest, { patches }: FoundOutputs): void {
  const isAsked = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));
  const [inner] = Object.entries(request).flatMap(([name, value]) => (isAsked(value) ? (INNER[name] ?? []) : []));
  if (inner !== undefined)
    throw new OnnxError('outputs', `${inner} are asked for, and an ONNX file gives its output alone`);
  const { blockCls = [], blockPatches = [] } = request;
  const other = [...blockCls, ...blockPatches].find((block) => block !== 0 && block !== -1);
  if (other !== undefined)
    throw new OnnxError(
      'outputs',
      `block ${other} is asked for, and an ONNX file gives the output of its last one alone`,
    );
  if (!patches && (request.patches || request.patchMean || blockPatches.length > 0))
    throw new OnnxError('outputs', 'patch tokens are asked for, and this ONNX file gives CLS alone');
}

/**
 * @param side the only one that the model takes
 * @returns rows and columns of patches @throws OnnxError `images` where the model does not take them
 */
export function checkImages(
  { data, shape }: ImageBatch,
  { patches }: FoundOutputs,
  side: number | undefined,
): readonly [number, number] {
  const [B, channels, H, W] = shape;
  const { patchSize = 1 } = patches ?? {};
  const said = `images of shape [${shape.join(', ')}]`;
  if (shape.length !== 4 || channels !== 3 || !(B > 0) || data.length !== B * 3 * H * W)
    throw new OnnxError('images', `${said} with ${data.length} values: expected [B, 3, H, W]`);
  if (side !== undefined && (H !== side || W !== side))
    throw new OnnxError('images', `${said}: the ONNX file takes ${side} x ${side} pixels alone`);
  if (H % patchSize !== 0 || W % patchSize !== 0)
    throw new OnnxError('images', `${said}: H and W are to be multiples of the patch size ${patchSize}`);
  return [H / patchSize, W / patchSize];
}
