// Starts LoopBack's to-do example, an HTTP API with its own OpenAPI document
// that nobody here wrote.
//
//   node server.js PORT DIR
//
// PORT is on 127.0.0.1 (0 picks one); DIR is a fresh folder for its data. Once
// it listens it prints one line {"http":"http://127.0.0.1:PORT"}. It stops on
// SIGTERM, SIGINT or the end of standard input, so that it never outlives the
// process that started it. Copy it beside the node_modules that `npm ci` made
// from the package-lock.json in this folder.
'use strict';
const fs = require('fs');
const path = require('path');
const {main} = require('@loopback/example-todo');

async function start([port, dir]) {
  if (!/^\d+$/.test(port || '') || !dir) {
    console.error('usage: node server.js PORT DIR');
    process.exit(2);
  }
  // The example writes ./data/db.json and answers 500 to every POST without
  // the folder.
  fs.mkdirSync(path.join(dir, 'data'), {recursive: true});
  process.chdir(dir);
  const log = console.log;
  console.log = () => {}; // the example prints a line of its own
  const app = await main({
    rest: {host: '127.0.0.1', port: Number(port), gracePeriodForClose: 0},
  });
  console.log = log;

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    app.stop().then(() => process.exit(0), () => process.exit(1));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('end', stop).on('error', stop).resume();
  console.log(JSON.stringify({http: app.restServer.url}));
}

start(process.argv.slice(2)).catch(err => {
  console.error(String(err && err.stack || err));
  process.exit(1);
});
