// Compiles contracts with the pinned compiler and library, one artefact a contract.
// Usage: node compile.js OUT SOURCES...

"use strict";
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const [outDir, ...folders] = process.argv.slice(2);
const library = path.join(__dirname, "node_modules");
const sources = {};
for (const folder of folders) {
  for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".sol")).sort()) {
    sources[name] = { content: fs.readFileSync(path.join(folder, name), "utf8") };
  }
}
const input = {
  language: "Solidity",
  sources,
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};

const load = (name) => {
  const file = path.join(library, name);
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, "utf8") } : { error: "not found" };
};

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: load }));
// What the library is warned of is its own affair; what our sources are warned of is an error.
const ours = (fault) => !(fault.sourceLocation || { file: "" }).file.startsWith("@");
const faults = (output.errors || []).filter((fault) => fault.severity === "error" || ours(fault));
for (const fault of faults) console.error(fault.formattedMessage);
if (faults.length > 0) process.exit(1);

const about = {
  compiler: `solc ${solc.version()}`,
  library: `@openzeppelin/contracts ${require("@openzeppelin/contracts/package.json").version}`,
  evmVersion: input.settings.evmVersion,
  optimizerRuns: input.settings.optimizer.runs,
};
fs.mkdirSync(outDir, { recursive: true });
for (const name of Object.keys(sources)) {
  for (const [contract, made] of Object.entries(output.contracts[name])) {
    const bytecode = made.evm.bytecode.object;
    // Interfaces and libraries that are inlined have nothing to deploy.
    if (!bytecode || made.abi.every((item) => item.type === "error")) continue;
    const artefact = { contract, ...about, abi: made.abi, bytecode: `0x${bytecode}` };
    fs.writeFileSync(path.join(outDir, `${contract}.json`), JSON.stringify(artefact, null, 1) + "\n");
  }
}
