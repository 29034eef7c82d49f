// Starts LoopBack's to-do example, an HTTP API with its own OpenAPI document
// that nobody here wrote.
//
//   node server.js PORT TLSPORT DIR
//
// Both ports are on 127.0.0.1. The first serves plain HTTP; the second HTTPS,
// for the user of DIR/user (name:password) only, with DIR/server.pem and
// DIR/server.key. The example's data go to DIR as well. It stops on
// SIGTERM, SIGINT or the end of standard input, so that it never outlives the
// process that started it. Copy it beside the node_modules that `npm ci` made
// from the package-lock.json in this folder.
'use strict';
const fs = require('fs');
const https = require('https');
const path = require('path');
const {main} = require('@loopback/example-todo');

async function start([port, tlsPort, dir]) {
  if (!/^\d+$/.test(port || '') || !/^\d+$/.test(tlsPort || '') || !dir) {
    console.error('usage: node server.js PORT TLSPORT DIR');
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
  const secured = https.createServer(
    {cert: fs.readFileSync('server.pem'), key: fs.readFileSync('server.key')},
    forOneUser('Basic ' + fs.readFileSync('user').toString('base64'), app.restServer.requestHandler),
  );
  await new Promise(done => secured.listen(Number(tlsPort), '127.0.0.1', done));

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    secured.close();
    secured.closeAllConnections();
    app.stop().then(() => process.exit(0), () => process.exit(1));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('end', stop).on('error', stop).resume();
}

// forOneUser lets a request pass that carries the one known credential.
function forOneUser(credential, next) {
  return (req, res) => {
    if (req.headers.authorization === credential) return next(req, res);
    res.writeHead(401, {'www-authenticate': 'Basic realm="todo"', 'content-type': 'application/json'});
    res.end('{"error":"who are you?"}');
  };
}

start(process.argv.slice(2)).catch(err => {
  console.error(String(err && err.stack || err));
  process.exit(1);
});
