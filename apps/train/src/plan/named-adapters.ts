/**
 * Adapters to plan for without having them. Features and limits are those that Dawn is assumed to report through Vulkan; none of the rates was measured, and
 * each says what it rests on. The H100's are the assumptions of a review of these kernels; what other cards are expected to reach is
 * the same share of their data sheets.
 */
import { defaultTarget, type KernelRates, LARGEST_GPU_BUFFER, type Rate, type Target } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { TrainError } from '../errors';

const GIB = 2 ** 30;

/** What the data sheet of a card says: flop/s of dense f16 products on matrix units with f32 sums and of f32 arithmetic, byte/s, processors. */
interface DataSheet {
  readonly name: string;
  readonly matrixFlops: number;
  readonly flops: number;
  readonly bytes: number;
  readonly processors: number;
}

const H100: DataSheet = { name: 'H100 SXM', matrixFlops: 989e12, flops: 67e12, bytes: 3.35e12, processors: 132 };
const H200: DataSheet = { name: 'H200 SXM', matrixFlops: 989e12, flops: 67e12, bytes: 4.8e12, processors: 132 };
const RTX_4090: DataSheet = {
  name: 'GeForce RTX 4090',
  matrixFlops: 165.2e12,
  flops: 82.6e12,
  bytes: 1.008e12,
  processors: 128,
};
const RX_7900_XTX: DataSheet = {
  name: 'Radeon RX 7900 XTX',
  matrixFlops: 122.8e12,
  flops: 61.4e12,
  bytes: 0.96e12,
  processors: 96,
};

/**
 * What the kernels are expected to reach on an H100, by their structure: none has run on one. Products: what the model of their tiles says of those of the official
 * ViT-B, 325 TFLOP/s, less the tenth by which it was above what a review gave their first version. Attention on matrix units: 45 % of what workgroup memory
 * allows, as counted from the kernels, 80 TFLOP/s forward and 75 backward at 257 tokens and 45 at 50, by their shares in a step.
 */
const EXPECTED = {
  matrixFlops: 290e12,
  attentionFlops: 9e12,
  matrixAttentionFlops: 70e12,
  copy: 3.0e12,
  launchSeconds: 3e-6,
  serialSeconds: 90e-9,
};
/** Part of a copy's bandwidth that an elementwise kernel reaches, and of the f32 rate that a tiled product does. */
const OF_COPY = 0.8;
const OF_ARITHMETIC = 0.4;

function expectedRates({ name, matrixFlops, flops, bytes, processors }: DataSheet): KernelRates {
  const rate = (value: number, source: string): Rate => ({ value, source });
  /** A rate of the H100, or the same share of what another sheet says. */
  const share = (value: number, own: number, ofH100: number, what: string): Rate =>
    name === H100.name
      ? rate(value, `assumed for these kernels on an ${name}, ${what}`)
      : rate((value / ofH100) * own, `data sheet of the ${name}, at the share assumed for an H100: ${what}`);
  const attention = share(EXPECTED.attentionFlops, flops, H100.flops, 'f32 arithmetic out of workgroup memory');
  const matrixAttention = share(
    EXPECTED.matrixAttentionFlops,
    matrixFlops,
    H100.matrixFlops,
    '7 % of dense f16, by counts of what they read',
  );
  return {
    matrixFlops: share(
      EXPECTED.matrixFlops,
      matrixFlops,
      H100.matrixFlops,
      '29 % of dense f16, by a model of their tiles',
    ),
    productFlops: rate(OF_ARITHMETIC * flops, `data sheet of the ${name}: 40 % of f32 arithmetic, assumed`),
    attentionFlops: attention,
    attentionGradientFlops: attention,
    matrixAttentionFlops: matrixAttention,
    matrixAttentionGradientFlops: matrixAttention,
    bytes: share(OF_COPY * EXPECTED.copy, bytes, H100.bytes, '80 % of a copy at 3.0 TB/s of 3.35'),
    launchSeconds: rate(EXPECTED.launchSeconds, 'assumed: a barrier drains the card between two kernels'),
    serialSeconds: rate(EXPECTED.serialSeconds, 'assumed: latency of memory, of which loads in flight hide a part'),
    processors: rate(processors, `data sheet of the ${name}`),
  };
}

/** NVIDIA's driver: subgroups of 32, three configurations of f16 x f16 -> f32, workgroups of 48 KiB. */
const nvidia = (name: string, memoryBytes: number, sheet: DataSheet): Target => ({
  ...defaultTarget,
  name,
  f16: true,
  subgroupSize: 32,
  subgroupMatrices: [
    { M: 16, N: 16, K: 16 },
    { M: 16, N: 8, K: 16 },
    { M: 16, N: 8, K: 8 },
  ],
  timestamps: true,
  memoryBytes,
  maxBindingBytes: LARGEST_GPU_BUFFER,
  maxBufferBytes: LARGEST_GPU_BUFFER,
  maxStorageBuffers: 16,
  maxWorkgroupBytes: 49152,
  maxWorkgroupInvocations: 1024,
  rates: expectedRates(sheet),
});

const NAMED: Readonly<Record<string, Target>> = {
  'h100-like': nvidia('NVIDIA H100 80GB HBM3', 79 * GIB, H100),
  'h200-like': nvidia('NVIDIA H200', 139 * GIB, H200),
  'rtx4090-like': nvidia('NVIDIA GeForce RTX 4090', 24 * GIB, RTX_4090),
  // subgroups of 32 or 64, as the driver likes or as a kernel states
  'rx7900xtx-like': {
    ...nvidia('AMD Radeon RX 7900 XTX', 24 * GIB, RX_7900_XTX),
    subgroupSize: 64,
    statesSubgroupSize: true,
    subgroupMatrices: [{ M: 16, N: 16, K: 16 }],
    maxWorkgroupBytes: 65536,
  },
};

/** The named target that a card is one of, by its model's name: `NVIDIA H100 PCIe` is `h100-like`. */
export function namedLike(card: string): Target | undefined {
  const words = card.toLowerCase().replaceAll(' ', '');
  return Object.entries(NAMED).find(([name]) => words.includes(name.replace('-like', '')))?.[1];
}

/** What `--target` takes. */
const TARGET_NAMES: readonly string[] = ['default', 'this', ...Object.keys(NAMED)];

/** The target of a name; `this` opens the adapter of this machine. @throws TrainError `usage` for another name */
export async function targetNamed(name: string): Promise<Target> {
  if (name === 'default') return defaultTarget;
  if (Object.hasOwn(NAMED, name)) return NAMED[name]!;
  if (name !== 'this') throw new TrainError('usage', `target "${name}" is not one of ${TARGET_NAMES.join(', ')}`);
  await using gpu = await openGpu();
  return gpu.target;
}
