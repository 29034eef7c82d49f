// The schema of a small shop: every kind of GraphQL type, results that are
// partly errors, and two subscriptions. Orders are in memory.
'use strict';
const {GraphQLError} = require('graphql');
const {createPubSub, createSchema, filter, pipe} = require('graphql-yoga');

const typeDefs = /* GraphQL */ `
  "Where an order is on its way."
  enum Status { OPEN SHIPPED CANCELLED }

  interface Node { id: ID! }

  type Customer implements Node { id: ID! name: String! orders: [Order!]! }

  type Line { sku: String! quantity: Int! }

  type Order implements Node {
    id: ID!
    customer: Customer!
    status: Status!
    lines: [Line!]!
    total: Float!
    note: String
    "An error with a code for every order that is not shipped."
    invoice: String
    "An error that the server masks, for every order."
    margin: Float
    ref: String @deprecated(reason: "Use id.")
  }

  union Found = Customer | Order

  input NewLine { sku: String! quantity: Int! = 1 }
  input NewOrder { customer: ID! lines: [NewLine!]! note: String status: Status = OPEN }

  type Query {
    order(id: ID!): Order
    orders(status: Status, first: Int = 10): [Order!]!
    node(id: ID!): Node
    search(text: String!): [Found!]!
  }

  type Mutation {
    placeOrder(order: NewOrder!): Order!
    setStatus(id: ID!, status: Status!): Order
  }

  type Subscription {
    "Orders as they are placed, of one customer or of all."
    orderPlaced(customer: ID): Order!
    "Counts down to zero and completes; below zero it fails at once."
    countdown(from: Int!): Int!
  }
`;

function createShop() {
  const pubSub = createPubSub();
  const customers = [{id: 'c1', name: 'Ada'}, {id: 'c2', name: 'Grace'}];
  const orders = [];
  const place = ({customer, lines, note, status}) => {
    if (!customers.some(c => c.id === customer)) {
      throw new GraphQLError(`There is no customer "${customer}".`, {extensions: {code: 'NO_SUCH_CUSTOMER'}});
    }
    const order = {id: `o${orders.length + 1}`, customer, lines, note, status};
    orders.push(order);
    pubSub.publish('placed', order);
    return order;
  };
  place({customer: 'c1', lines: [{sku: 'tea', quantity: 2}], status: 'OPEN'});
  place({customer: 'c2', lines: [{sku: 'cup', quantity: 1}, {sku: 'pot', quantity: 1}], status: 'SHIPPED', note: 'a gift'});

  const find = id => orders.find(o => o.id === id) || null;
  const isOrder = value => 'lines' in value;
  return createSchema({
    typeDefs,
    resolvers: {
      Node: {__resolveType: value => isOrder(value) ? 'Order' : 'Customer'},
      Found: {__resolveType: value => isOrder(value) ? 'Order' : 'Customer'},
      Customer: {orders: customer => orders.filter(o => o.customer === customer.id)},
      Order: {
        customer: order => customers.find(c => c.id === order.customer),
        total: order => order.lines.reduce((sum, l) => sum + 9.5 * l.quantity, 0),
        ref: order => order.id,
        invoice: order => {
          if (order.status === 'SHIPPED') return `invoice of ${order.id}`;
          throw new GraphQLError('The order is not shipped.', {extensions: {code: 'NOT_SHIPPED'}});
        },
        margin: () => { throw new Error('this text must not leave the server'); },
      },
      Query: {
        order: (_, {id}) => find(id),
        orders: (_, {status, first}) => orders.filter(o => !status || o.status === status).slice(0, first),
        node: (_, {id}) => find(id) || customers.find(c => c.id === id) || null,
        search: (_, {text}) => [
          ...customers.filter(c => c.name.includes(text)),
          ...orders.filter(o => o.lines.some(l => l.sku.includes(text))),
        ],
      },
      Mutation: {
        placeOrder: (_, {order}) => place(order),
        setStatus: (_, {id, status}) => {
          const order = find(id);
          if (order) order.status = status;
          return order;
        },
      },
      Subscription: {
        orderPlaced: {
          subscribe: (_, {customer}) => pipe(pubSub.subscribe('placed'), filter(o => !customer || o.customer === customer)),
          resolve: order => order,
        },
        countdown: {
          subscribe: async function* (_, {from}) {
            if (from < 0) throw new GraphQLError('It counts down, not up.', {extensions: {code: 'BELOW_ZERO'}});
            for (let i = from; i >= 0; i--) yield i;
          },
          resolve: i => i,
        },
      },
    },
  });
}

module.exports = {createShop};
