// Serves a small shop with GraphQL Yoga, on 127.0.0.1:
//
//   node server.js PORT
//
//   /graphql         queries, mutations, and subscriptions: server-sent events
//                    over HTTP, graphql-transport-ws over WebSocket
//   /closed/graphql  the same over HTTP, where introspection is refused
//
// It stops on SIGTERM, SIGINT or the end of standard input, so that it never
// outlives the process that started it. Copy it beside the node_modules that
// `npm ci` made from the package-lock.json in this folder.
'use strict';
const http = require('http');
const {NoSchemaIntrospectionCustomRule} = require('graphql');
const {createYoga} = require('graphql-yoga');
const {useServer} = require('graphql-ws/use/ws');
const {WebSocketServer} = require('ws');
const {createShop} = require('./shop.js');

const withoutIntrospection = {
  onValidate({addValidationRule}) { addValidationRule(NoSchemaIntrospectionCustomRule); },
};

function start([port]) {
  if (!/^\d+$/.test(port || '')) {
    console.error('usage: node server.js PORT');
    process.exit(2);
  }
  const schema = createShop();
  const settings = {schema, graphiql: false, landingPage: false, logging: 'error'};
  const open = createYoga({...settings, graphqlEndpoint: '/graphql'});
  const closed = createYoga({...settings, graphqlEndpoint: '/closed/graphql', plugins: [withoutIntrospection]});
  const server = http.createServer((req, res) => (req.url.startsWith('/closed/') ? closed : open)(req, res));
  useServer({schema}, new WebSocketServer({server, path: '/graphql'}));
  server.on('error', err => {
    console.error(String(err));
    process.exit(1);
  });
  server.listen(Number(port), '127.0.0.1');

  const stop = () => process.exit(0);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('end', stop).on('error', stop).resume();
}

start(process.argv.slice(2));
