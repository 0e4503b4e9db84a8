/**
 * Mesa's lavapipe, a Vulkan driver that runs on the CPU, through apt. Dawn refuses what Debian 12 and Ubuntu 22.04 ship
 * (Mesa 22 and 23), so on Debian the release's backports are added where they are needed, from the mirror that this
 * machine already uses.
 *
 * Ctrl-C ends apt while it fetches, and a source that was added goes again; what dpkg has begun to unpack, it finishes.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say, stage } from './stages.mjs';
import { run } from './system.mjs';

const OLDEST_ACCEPTED = 24;
const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];

/** `{ ok: true, how }`, or `{ ok: false, reason }` with the system as it was. */
export function installLavapipe() {
  const impossible = whyNotHere();
  if (impossible) return { ok: false, reason: impossible };
  return stage('Vulkan driver for the CPU', 'installing mesa-vulkan-drivers through apt, once', install);
}

/** Why apt cannot be used on this machine, by this user. */
export function whyNotHere() {
  const { ID: distribution } = osRelease();
  if (distribution !== 'debian' && distribution !== 'ubuntu') return 'this is not Debian or Ubuntu';
  return process.getuid() === 0 ? undefined : 'only root may install one';
}

async function install() {
  const { ID: distribution, VERSION_CODENAME: codename } = osRelease();
  const updated = await apt(['update', '-o', 'APT::Update::Error-Mode=any']);
  let suite = await suiteWithDriver();
  const backports = `/etc/apt/sources.list.d/${codename}-backports.sources`;
  const add = !suite && distribution === 'debian' && !existsSync(backports);
  let installed;
  try {
    if (add && (await addBackports(codename, backports))) suite = await suiteWithDriver();
    installed = suite && (await installFrom(suite));
  } finally {
    if (add && !installed?.ok) rmSync(backports, { force: true });
  }
  if (installed?.ok) return { ok: true, how: `mesa-vulkan-drivers was installed from ${suite}` };
  return { ok: false, reason: whyNot(installed, updated) };
}

async function installFrom(suite) {
  const args = ['install', '-y', '--no-install-recommends', '-t', suite];
  const fetched = await apt([...args, '--download-only', ...PACKAGES]);
  return fetched.ok ? apt([...args, ...PACKAGES], 'the installation of the driver') : fetched;
}

function whyNot(installed, updated) {
  if (installed) return `apt failed (${firstError(installed)})`;
  if (!updated.ok) return `apt cannot fetch its lists (${firstError(updated)})`;
  return `apt offers no mesa-vulkan-drivers ${OLDEST_ACCEPTED} or newer`;
}

/** lavapipe's manifest for the Vulkan loader, where it is installed. */
export function lavapipeManifest() {
  const folder = '/usr/share/vulkan/icd.d';
  const name = existsSync(folder) && readdirSync(folder).find((entry) => /^lvp_icd.*\.json$/.test(entry));
  return name ? join(folder, name) : undefined;
}

export function lavapipeHint() {
  const { ID: distribution, VERSION_CODENAME: codename } = osRelease();
  const backports = distribution === 'debian' && codename === 'bookworm' ? ' -t bookworm-backports' : '';
  return `mesa-vulkan-drivers ${OLDEST_ACCEPTED} or newer (apt-get install${backports} mesa-vulkan-drivers) is about 8x faster`;
}

/** The first configured suite whose mesa-vulkan-drivers Dawn accepts. */
async function suiteWithDriver() {
  const { stdout } = await run('apt-cache', ['madison', 'mesa-vulkan-drivers']);
  // mesa-vulkan-drivers | 25.0.7-2~bpo12+1 | http://mirror/debian bookworm-backports/main amd64 Packages
  for (const line of stdout.split('\n')) {
    const [, version = '', source = ''] = line.split('|').map((part) => part.trim());
    const suite = source.split(' ')[1]?.split('/')[0];
    if (suite && Number.parseInt(version.replace(/^\d+:/, ''), 10) >= OLDEST_ACCEPTED) return suite;
  }
  return undefined;
}

/** Adds `<codename>-backports` in `file`, from the mirror that serves `<codename>`; whether its list could be fetched. */
async function addBackports(codename, file) {
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
    'Created-By: Packages',
  ]);
  const targets = stdout.split('\n').map((line) => line.split(' '));
  const mirror = targets.find(([, release, component]) => release === codename && component === 'main')?.[0];
  if (!mirror) return false;
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(
    file,
    `Types: deb\nURIs: ${mirror}\nSuites: ${codename}-backports\nComponents: main\nSigned-By: ${keyring}\n`,
  );
  // the other lists are fresh
  const only = [
    '-o',
    `Dir::Etc::SourceList=${file}`,
    '-o',
    'Dir::Etc::SourceParts=-',
    '-o',
    'APT::Get::List-Cleanup=0',
  ];
  return (await apt(['update', ...only])).ok;
}

const PATIENCE = { 'Acquire::Retries': 1, 'Acquire::http::Timeout': 15, 'Acquire::https::Timeout': 15 };
const LOCK_MINUTES = 5;

/**
 * In a session of its own: Ctrl-C reaches it from here only, and with `finish` not at all. While another apt is at work, as on a machine that has just
 * started, this one waits; apt itself would do so for one of its two locks.
 */
async function apt(args, finish) {
  const options = Object.entries(PATIENCE).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const env = aptEnvironment();
  for (let attempt = 0; ; attempt++) {
    const result = await run('apt-get', ['-q', ...options, ...args], {
      env,
      detached: true,
      ...(finish && { finish }),
    });
    const held = result.ok ? undefined : /^E: (Could not get lock .*)/m.exec(result.stderr)?.[1];
    if (!held || attempt >= 12 * LOCK_MINUTES) return result;
    if (attempt === 0) say(`waiting for another apt, for up to ${LOCK_MINUTES} minutes: ${held}`);
    await run('sleep', ['5']);
  }
}

/** apt reads the variables of proxies in small letters only. */
function aptEnvironment() {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
    const value = env[name] ?? env[name.toUpperCase()];
    if (value) env[name] = value;
  }
  return env;
}

function osRelease() {
  if (!existsSync('/etc/os-release')) return {};
  const pairs = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?(.*?)"?$/gm);
  return Object.fromEntries([...pairs].map(([, key, value]) => [key, value]));
}

/** The first of apt's errors names the cause; those after it follow from it. */
function firstError({ stderr, stdout }) {
  const [first] = `${stderr}\n${stdout}`.match(/^E: .*$/m) ?? [];
  return first?.slice(3) ?? (stderr.trim().split('\n').pop() || 'no reason given');
}
