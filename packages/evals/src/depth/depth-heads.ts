/**
 * Heads that turn tokens of a frozen backbone into depth. All end in 256 depth bins: of the logits z of a pixel come shares
 * p = (relu(z) + 0.1) / sum (AdaBins' linear normalisation), and its depth is the mean of the bins' centres, spread evenly from 1 mm to 10 m, under p.
 *
 * - `linear`: the levels joined, one 1 x 1 convolution, enlarged 4 times. The published order is to enlarge first; both are linear maps of the grid and of the
 *   channels whose weights sum to one over the grid, so they commute, and this order costs a sixteenth.
 * - `dpt` (after Ranftl et al., 2021, as in Probe3D): each level 1 x 1 to `hidden` channels and twice as large; fused from deep to shallow by residual
 *   units x + relu(conv3 relu(conv3 x)); 4 times as large; conv3, relu, conv3 to the bins; twice as large. All levels share the token grid.
 * - DINOv3's linear head: batch norm, 1 x 1 convolution at the token grid, bins.
 *
 * Maps are `[B, rows, columns, channels]`; parameters have the official names and shapes, convolutions `[out, in, k, k]`.
 */

import {
  conv2d,
  conv2dSpecs,
  ONES,
  type ParameterSpecs,
  type Parameters,
  parameter,
  prefixed,
  within,
  ZEROS,
} from '@franca/nn';
import { add, concat, constant, div, mul, relu, remat, sliceAxis, sum, type Tensor } from '@franca/tensor';
import { DEPTH_RANGE, type DepthHead, type DepthProtocol } from './depth-protocol';
import { type MapResize, resizeMaps } from './map-resize';

export const BINS = 256;
/** Added to each bin before the shares are taken. */
const BIN_FLOOR = 0.1;

export interface HeadShape {
  readonly head: DepthHead;
  readonly protocol: DepthProtocol;
  readonly levels: number;
  readonly dim: number;
  readonly hidden: number;
}

/** How a protocol enlarges: inside the DPT head, and everywhere else. */
const RESIZES: Readonly<Record<DepthProtocol, { readonly dpt: MapResize; readonly maps: MapResize }>> = {
  probe3d: { dpt: 'nearest', maps: 'half-pixel' },
  'probe3d-2025': { dpt: 'align-corners', maps: 'align-corners' },
  dinov3: { dpt: 'nearest', maps: 'half-pixel' },
};

export const mapResize = (protocol: DepthProtocol): MapResize => RESIZES[protocol].maps;

/** Parameters of a head with their initial values: the linear head starts at 0 with biases of 1, every bin alike; convolutions of DPT as PyTorch draws them. */
export function headSpecs({ head, levels, dim, hidden }: HeadShape): ParameterSpecs {
  if (head === 'linear') {
    return {
      'head.conv.weight': parameter([BINS, levels * dim, 1, 1], ZEROS),
      'head.conv.bias': parameter([BINS], ONES),
    };
  }
  const unit = {
    ...prefixed('conv.0', conv2dSpecs(hidden, hidden, 3)),
    ...prefixed('conv.2', conv2dSpecs(hidden, hidden, 3)),
  };
  const fusions = Array.from({ length: levels }, (_, level) => ({
    ...prefixed(`conv_${level}`, conv2dSpecs(dim, hidden, 1)),
    ...(level < levels - 1 ? prefixed(`ref_${level}.resConfUnit1`, unit) : {}),
    ...prefixed(`ref_${level}.resConfUnit2`, unit),
  }));
  return prefixed('head', {
    ...Object.assign({}, ...fusions),
    ...prefixed('out_conv.0', conv2dSpecs(hidden, hidden, 3)),
    ...prefixed('out_conv.2', conv2dSpecs(hidden, BINS, 3)),
  });
}

/** Depth maps `[B, rows, cols]` of Probe3D's heads, at the extent that the head gives: 4 times the token grid, or 16 times for DPT. */
export function headDepth(p: Parameters, levels: readonly Tensor[], { head, protocol }: HeadShape): Tensor {
  const { dpt, maps } = RESIZES[protocol];
  const own = within(p, 'head');
  if (head === 'linear') return imageByImage(conv(within(own, 'conv'), concat(levels, 3)), (z) => binDepth(z, 4, maps));
  const out = within(own, 'out_conv');
  return imageByImage(fusedLevels(own, levels, dpt), (fused) => {
    const hidden = relu(conv(within(out, '0'), enlarged(fused, 4, dpt)));
    return binDepth(conv(within(out, '2'), hidden), 2, dpt);
  });
}

/** All levels in one map `[B, 2 h, 2 w, hidden]`, joined from deep to shallow. */
function fusedLevels(p: Parameters, levels: readonly Tensor[], how: MapResize): Tensor {
  const projected = levels.map((level, l) => enlarged(conv(within(p, `conv_${l}`), level), 2, how));
  return projected.reduceRight<Tensor | undefined>((carried, level, l) => {
    const fusion = within(p, `ref_${l}`);
    const joined = carried ? add(residualUnit(within(fusion, 'resConfUnit1'), level), carried) : level;
    return residualUnit(within(fusion, 'resConfUnit2'), joined);
  }, undefined)!;
}

function residualUnit(p: Parameters, x: Tensor): Tensor {
  const inner = conv(within(p, 'conv.2'), relu(conv(within(p, 'conv.0'), x)));
  return add(x, relu(inner));
}

const enlarged = (x: Tensor, factor: number, how: MapResize): Tensor =>
  resizeMaps(x, [x.shape[1]! * factor, x.shape[2]! * factor], how);

/** A convolution that keeps the extent. */
const conv = (p: Parameters, x: Tensor): Tensor => conv2d(p, x, { padding: (p('weight').shape[2]! - 1) / 2 });

/** What `depthOf` makes of each image of `x` `[B, ..]`: what comes after the enlargement is too large to be one buffer of the whole batch, 1.3 GB at 480 x 480. */
function imageByImage(x: Tensor, depthOf: (image: Tensor) => Tensor): Tensor {
  const images = Array.from({ length: x.shape[0]! }, (_, image) => depthOf(sliceAxis(x, 0, image, image + 1)));
  return concat(images, 0);
}

/** Depth of enlarged logits, which are computed again in the backward pass: they are the largest thing of all, 321 MB an image at 560 x 560. */
const binDepth = (logits: Tensor, factor: number, how: MapResize): Tensor =>
  remat(() => depthOfLogits(enlarged(logits, factor, how)));

/** Depth `[B, rows, cols]` in metres of logits `[B, rows, cols, bins]`. */
export function depthOfLogits(logits: Tensor): Tensor {
  const [near, far] = DEPTH_RANGE;
  const bins = logits.shape[3]!;
  const centres = Array.from({ length: bins }, (_, i) => near + ((far - near) * i) / (bins - 1));
  const shares = add(relu(logits), BIN_FLOOR);
  return div(sum(mul(shares, constant(centres, [bins])), [3]), sum(shares, [3]));
}
