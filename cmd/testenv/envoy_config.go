package main

// envoyConfig is the bootstrap. Its listeners are "ingress", which is asked, and
// "upstream", which is Envoy again and answers all the clusters:
//
//	/a        cluster orders: two endpoints, one dead; active health checks and
//	          retries hide it, so every answer is 200
//	/flaky    cluster flaky: its endpoint answers 503; retried twice, then thrown
//	          out by outlier detection, and from then on "no healthy upstream"
//	/dead     cluster dead: nothing listens
//	/limited  two requests, then 429 from a local rate limit that refills slowly
//	/direct   answered by the ingress itself
//
// The admin address has the tap filter's POST /tap under the id "iscope".
const envoyConfig = `
node: {id: iscope-envoy, cluster: iscope-testenv}
admin:
  address: {socket_address: {address: 127.0.0.1, port_value: {admin}}}
static_resources:
  listeners:
  - name: ingress
    address: {socket_address: {address: 127.0.0.1, port_value: {ingress}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {access_log}
              log_format:
                json_format:
                  start: "%START_TIME%"
                  method: "%REQ(:METHOD)%"
                  path: "%REQ(:PATH)%"
                  status: "%RESPONSE_CODE%"
                  flags: "%RESPONSE_FLAGS%"
                  duration_ms: "%DURATION%"
                  cluster: "%UPSTREAM_CLUSTER%"
                  upstream: "%UPSTREAM_HOST%"
                  request_id: "%REQ(X-REQUEST-ID)%"
          http_filters:
          - name: envoy.filters.http.tap
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.tap.v3.Tap
              common_config: {admin_config: {config_id: iscope}}
          - name: envoy.filters.http.local_ratelimit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
              stat_prefix: unlimited
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            name: ingress
            virtual_hosts:
            - name: shop
              domains: ["*"]
              routes:
              - match: {prefix: /a}
                route:
                  cluster: orders
                  timeout: 5s
                  retry_policy: {retry_on: "connect-failure,5xx", num_retries: 3, per_try_timeout: 1s}
              - match: {prefix: /flaky}
                route:
                  cluster: flaky
                  retry_policy: {retry_on: "5xx", num_retries: 2}
              - match: {prefix: /dead}
                route: {cluster: dead}
              - match: {prefix: /limited}
                route: {cluster: limited}
                typed_per_filter_config:
                  envoy.filters.http.local_ratelimit:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
                    stat_prefix: limited
                    token_bucket: {max_tokens: 2, tokens_per_fill: 1, fill_interval: 60s}
                    filter_enabled: {default_value: {numerator: 100}}
                    filter_enforced: {default_value: {numerator: 100}}
              - match: {path: /direct}
                direct_response: {status: 200, body: {inline_string: "direct\n"}}
  - name: upstream
    address: {socket_address: {address: 127.0.0.1, port_value: {upstream}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: upstream
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            name: upstream
            virtual_hosts:
            - name: upstream
              domains: ["*"]
              routes:
              - match: {prefix: /flaky}
                direct_response: {status: 503, body: {inline_string: "flaky\n"}}
              - match: {prefix: /}
                direct_response: {status: 200, body: {inline_string: "hello\n"}}
  clusters:
  - name: orders
    type: STATIC
    connect_timeout: 1s
    lb_policy: ROUND_ROBIN
    circuit_breakers:
      thresholds: [{max_connections: 64, max_pending_requests: 32, max_requests: 128, max_retries: 8, track_remaining: true}]
    health_checks:
    - {timeout: 1s, interval: 1s, no_traffic_interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: {path: /health}}
    load_assignment:
      cluster_name: orders
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {upstream}}}}
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {dead}}}}
  - name: flaky
    type: STATIC
    connect_timeout: 1s
    outlier_detection:
      consecutive_5xx: 5
      interval: 1s
      base_ejection_time: 30s
      max_ejection_percent: 100
    common_lb_config: {healthy_panic_threshold: {value: 0}}
    load_assignment:
      cluster_name: flaky
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {upstream}}}}
  - name: dead
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: dead
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {dead}}}}
  - name: limited
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: limited
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {upstream}}}}
`
