// What mma.sync.m16n8k16 (f16 inputs, f32 sums) sustains from registers on all processors of a card: the ceiling of WGSL's subgroup matrices,
// which compile to this instruction; wgmma, which cuBLAS uses on Hopper, is out of their reach.
//
// nvcc -O3 -arch=native mma_probe.cu -o mma_probe && ./mma_probe: prints one line of JSON, or an error and exit status 1.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cuda_runtime.h>

constexpr int ROWS = 4, COLUMNS = 4;  // tiles of a warp: 64 x 32 sums, as a matrix kernel has them
constexpr int THREADS = 256, ROUNDS = 100000, REPEATS = 7;
constexpr double FLOPS_OF_MMA = 2.0 * 16 * 8 * 16;

__device__ void multiply(float (&sum)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Two f16 of either sign between 1/8 and 1/4 in size: sums stay finite, and bits toggle as in real data.
__device__ unsigned someHalves(unsigned seed) {
  seed = seed * 747796405u + 2891336453u;
  seed = ((seed >> ((seed >> 28) + 4)) ^ seed) * 277803737u;
  return (seed & 0x83ff83ffu) | 0x30003000u;
}

__global__ void probe(float *out, int rounds) {
  unsigned a[ROWS][4], b[COLUMNS][2];
  float sums[ROWS][COLUMNS][4] = {};
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < 4; j++) a[i][j] = someHalves(thread * 64 + i * 4 + j);
  for (int i = 0; i < COLUMNS; i++)
    for (int j = 0; j < 2; j++) b[i][j] = someHalves(thread * 64 + 32 + i * 2 + j);
  for (int round = 0; round < rounds; round++)
#pragma unroll
    for (int i = 0; i < ROWS; i++)
#pragma unroll
      for (int j = 0; j < COLUMNS; j++) multiply(sums[i][j], a[i], b[j]);
  float total = 0;
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < COLUMNS; j++)
      for (int l = 0; l < 4; l++) total += sums[i][j][l];
  out[thread] = total;
}

static void check(cudaError_t status) {
  if (status == cudaSuccess) return;
  fprintf(stderr, "%s\n", cudaGetErrorString(status));
  exit(1);
}

int main() {
  cudaDeviceProp card;
  int blocksOfOne = 0;
  check(cudaGetDeviceProperties(&card, 0));
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocksOfOne, probe, THREADS, 0));
  const int blocks = card.multiProcessorCount * blocksOfOne;
  float *out, times[REPEATS];
  check(cudaMalloc(&out, sizeof(float) * blocks * THREADS));
  cudaEvent_t start, end;
  check(cudaEventCreate(&start));
  check(cudaEventCreate(&end));
  for (int i = -2; i < REPEATS; i++) {  // the first two warm the card up
    check(cudaEventRecord(start));
    probe<<<blocks, THREADS>>>(out, ROUNDS);
    check(cudaGetLastError());
    check(cudaEventRecord(end));
    check(cudaEventSynchronize(end));
    if (i >= 0) check(cudaEventElapsedTime(&times[i], start, end));
  }
  std::sort(times, times + REPEATS);
  const double warps = double(blocks) * THREADS / card.warpSize;
  const double flops = warps * ROUNDS * ROWS * COLUMNS * FLOPS_OF_MMA;
  printf(
      "{\"device\": \"%s\", \"processors\": %d, \"warpsPerProcessor\": %d, \"milliseconds\": %.4f, \"teraflops\": %.2f}\n", card.name,
      card.multiProcessorCount, blocksOfOne * THREADS / card.warpSize, times[REPEATS / 2], 1e-9 * flops / times[REPEATS / 2]);
  return 0;
}
