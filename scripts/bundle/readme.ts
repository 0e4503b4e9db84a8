/** The READMEs of a bundle, which explain it where there is nothing else to ask. */

export interface AppFacts {
  readonly version: string;
  /** Of the package `webgpu`. */
  readonly dawn: string;
  /** Debian packages with their versions; none without the Vulkan loader. */
  readonly libraries: readonly string[];
  /** `GLIBC_2.34`, `GLIBCXX_3.4.30`. */
  readonly system: readonly string[];
  readonly campaign: boolean;
}

export function appReadme({ version, dawn, libraries, system, campaign }: AppFacts): string {
  return `# franca-train ${version} for 64-bit Linux

Self-supervised pretraining of Vision Transformers (Franca) on any GPU, for a machine without a network: Node, the program and everything that
it needs are in this folder, which may stand anywhere, be read-only, and belong to anybody. Nothing is installed, and nothing is written into it.

    ./franca-train doctor                # what this machine can do, and what to start with
    ./franca-train pretrain --data photos/ --out run
    ./franca-train --help
${campaign ? '    ./gpu-campaign --help                # every figure that a GPU can give, in one command\n' : ''}
The manual is node_modules/franca-train/README.md.

## What the machine needs

* x86-64 Linux with glibc, whose libc.so.6 and libstdc++.so.6 know ${system.join(' and ')}; the program says which one is missing.
  Ubuntu 22.04 has GLIBC_2.35 and GLIBCXX_3.4.30, Debian 12 GLIBC_2.36 and GLIBCXX_3.4.30, RHEL 9 GLIBC_2.34 and GLIBCXX_3.4.29: name the folder of
  a newer libstdc++.so.6, such as conda's, in LD_LIBRARY_PATH.
* A Vulkan driver: NVIDIA's (its package for compute alone has none: in a container, NVIDIA_DRIVER_CAPABILITIES=all), Mesa's for AMD and Intel,
  or Mesa's lavapipe, which computes on the processor.
${
  libraries.length > 0
    ? `* Not the Vulkan loader: \`lib\` has it, with what NVIDIA's driver is linked with. Each library is used only where the system has none of its name.`
    : '* The Vulkan loader, libvulkan.so.1 (package libvulkan1 or vulkan-loader): this bundle was made without it.'
}
* To unpack: \`tar xJf\`, which runs \`xz\`. Where there is none, \`bsdtar xf\`, or Python: \`python3 -m tarfile -e <archive>\`.

\`SHA256SUMS\`, beside the archives, is for \`sha256sum -c SHA256SUMS\`.

## What is in it

| part | version |
|---|---|
| franca-train | ${version} |
| Node | ${process.version} |
| Dawn, from npm webgpu | ${dawn} |
${libraries.map((item) => `| ${item.replace(' ', ' (Debian) | ')} |\n`).join('')}
Licences: LICENSE for the program, THIRD-PARTY-NOTICES.md for all else. The programs set, unless it is set already: PATH (Node first), LD_LIBRARY_PATH
(only for what is missing), VK_DRIVER_FILES (only for an NVIDIA manifest below /usr/local/nvidia), XDG_RUNTIME_DIR, UV_THREADPOOL_SIZE,
HOME (the folder for temporary files).
`;
}

export function testsReadme(notTested: readonly (readonly [folder: string, why: string])[]): string {
  return `# The tests of franca-train

Unpacked over the bundle of the same version, into the same place:

    ./run-tests                          # all; the last line is "N passed, N failed"
    ./run-tests packages/tensor packages/nn
    ./run-tests --maxWorkers=12

They run from the sources in \`packages\` and \`apps\`, on the adapter that the machine has, with FRANCA_TUNE=off. Tests of real photographs and weights skip.
Some write into the system's folder for temporary files, and some need git or Python; they say so.

Not among them:

${notTested.map(([folder, why]) => `* \`${folder}\`: ${why}`).join('\n')}
`;
}
