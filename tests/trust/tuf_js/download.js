// download.js METADATA_URL TARGETS_URL ROOT TARGET...: fetches targets with tuf-js, a client that shares no code with ours.
const fs = require('fs');
const os = require('os');
const path = require('path');
const { Updater } = require('tuf-js');

async function main() {
  const [metadataBaseUrl, targetBaseUrl, root, ...names] = process.argv.slice(2);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skiff-tuf-js-'));
  const metadataDir = path.join(folder, 'metadata');
  const targetDir = path.join(folder, 'targets');
  fs.mkdirSync(metadataDir);
  fs.mkdirSync(targetDir);
  try {
    fs.copyFileSync(root, path.join(metadataDir, 'root.json'));
    const updater = new Updater({ metadataBaseUrl, targetBaseUrl, metadataDir, targetDir });
    await updater.refresh();
    for (const name of names) {
      const info = await updater.getTargetInfo(name);
      if (!info) throw new Error(`tuf-js does not find ${name}`);
      const file = await updater.downloadTarget(info);
      console.log(`${name} ${fs.statSync(file).size} ${JSON.stringify(info.custom)}`);
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

main().catch((error) => {
  console.error(`tuf-js: ${error.stack || error}`);
  process.exit(1);
});
