# shellcheck shell=sh
# Verbs apply and http_only: the site's files onto this host.

apply() {
  begin
  examine
  carry_out settled
}

# http_only: only the vhost that answers the CA's challenge, by the same change as any other.
http_only() { apply; }

content_0() { printf %s '# The bearer gate in front of Ollama: who a request comes from, and what that
# client may do. The vhost sites/ia.enso.4nkweb.com.conf asks these variables.
#
# Installed as /etc/nginx/conf.d/ia-enso-http-maps.conf (http context), mode 0600.
#
# A client is one file, /etc/nginx/ia-enso-bearers/NAME.map (mode 0600), with one
# line for each of its tokens: a regex, and scope:name or scope:name:limit as the
# value (1), e.g.
#
#     "~^(?i:bearer) +THE\-TOKEN\z" full:default;
#
# (1) Scope `full` opens all of Ollama, `inference` only what (5) lists. A limit is
#     10, 60 or 600 requests a minute; without one there is none.
#
# (!) A key must be a regex: string keys match whatever their case is, and are
#     hashed in buckets too small for a token. Every character of the token that
#     is neither a letter nor a digit has a backslash before it. `\z` and not `$`,
#     which also matches before a final newline.
# (!) Never a key "": it would let in every request without a token.
#
# https://nginx.org/en/docs/http/ngx_http_map_module.html
# https://nginx.org/en/docs/http/ngx_http_limit_req_module.html
# https://www.rfc-editor.org/rfc/rfc6750

# What stands beside the token of the client whose token this is; empty for everybody else, and for
# everybody while there is no client file.
map $http_authorization $ia_enso_ollama_grant {
    default "";
    include /etc/nginx/ia-enso-bearers/*.map;
}

# 1 or 0. The vhost tests this one, and nothing else, before it answers 401. (2)
#
# With it, a line fills in what the grant says: the client'\''s scope; its name, for the
# access log; and, where it has a limit, the name by which that limit counts it (3).
#
# (2) A value that is not a known scope, a name and a known limit opens nothing.
# (3) The others stay empty, and nginx counts no request whose key is empty. Most
#     clients have no limit, so that line is the first: each costs every request.
map $ia_enso_ollama_grant $ia_enso_ollama_authorized {
    default 0;
    "~^(?<ia_enso_ollama_scope>full|inference):(?<ia_enso_ollama_client>[a-z0-9_-]+)\z" 1;
    "~^(?<ia_enso_ollama_scope>full|inference):(?<ia_enso_ollama_client>(?<ia_enso_ollama_limited_10>[a-z0-9_-]+)):10\z" 1;
    "~^(?<ia_enso_ollama_scope>full|inference):(?<ia_enso_ollama_client>(?<ia_enso_ollama_limited_60>[a-z0-9_-]+)):60\z" 1;
    "~^(?<ia_enso_ollama_scope>full|inference):(?<ia_enso_ollama_client>(?<ia_enso_ollama_limited_600>[a-z0-9_-]+)):600\z" 1;
}

# May this client use this path? Asked after the token was found good.
map $ia_enso_ollama_scope $ia_enso_ollama_permitted {
    default   0;
    full      1;
    inference $ia_enso_ollama_path_is_inference;
}

# (4) $uri is decoded and free of `..` and `//`, and exactly what is sent to
#     Ollama: what is judged here is what arrives there.
# (5) Chat, completions, embeddings, and the lists that editors ask for; not
#     pull, push, create, copy, delete, blobs, nor what Ollama may add.
map $uri $ia_enso_ollama_path_is_inference {  # (4)
    default 0;
    "~^/ollama/(?:v1/|api/(?:chat|generate|embed|embeddings|tags|show|ps|version)\z)" 1;  # (5)
}

# Failed attempts, counted per address; a right bearer is never counted (3).
map $ia_enso_ollama_authorized $ia_enso_ollama_failed_from {
    default $binary_remote_addr;
    1       "";
}
limit_req_zone $ia_enso_ollama_failed_from zone=ia_enso_ollama_failed:10m rate=1r/s;

# Requests of a limited client, counted by its name whatever its address.
limit_req_zone $ia_enso_ollama_limited_10  zone=ia_enso_ollama_10:1m  rate=10r/m;
limit_req_zone $ia_enso_ollama_limited_60  zone=ia_enso_ollama_60:1m  rate=60r/m;
limit_req_zone $ia_enso_ollama_limited_600 zone=ia_enso_ollama_600:1m rate=600r/m;

# Seconds until a limited client may ask again.
map $ia_enso_ollama_limited_10 $ia_enso_ollama_retry_after {
    default 6;
    ""      1;
}
'; }
content_1() { printf %s '# WebSocket: what to send upstream as the header Connection.
#
# "Connection" and "Upgrade" are hop-by-hop headers: a proxy that wants to hand
# a WebSocket handshake on must set both again. Ordinary requests get an empty
# value (1), so that connections to the upstream are kept alive.
#
# Installed as /etc/nginx/conf.d/websocket-connection-map.conf (http context).
#
# (1) Empty means that nginx sends no such header. The usual "close" would end
#     the upstream connection after every request.
#
# (!) One definition of $connection_upgrade for the whole nginx. A second one is
#     no error: the last silently wins, for every site. Leave this file out where
#     another file has the map already.
#
# https://nginx.org/en/docs/http/websocket.html
# https://nginx.org/en/docs/http/ngx_http_map_module.html

map $http_upgrade $connection_upgrade {
    default upgrade;
    ""      "";  # (1)
}
'; }
content_2() { printf %s '# ia.enso.4nkweb.com: AnythingLLM, and Ollama behind a bearer token.
#
#   /ollama/       Ollama, 11434, for clients with a bearer token (1)
#   /              AnythingLLM, 3001, behind its own login
#   /anythingllm/  the same AnythingLLM, for API clients and old bookmarks (2)
#
# Installed as /etc/nginx/sites-available/ia.enso.4nkweb.com.conf (http context).
# Needs conf.d/ia-enso-http-maps.conf (the variables $ia_enso_…), a map for
# $connection_upgrade, and the certificate.
#
# (1) 401 without a known token, 403 outside of the client'\''s scope, 429 above its limit.
# (2) AnythingLLM'\''s web interface is built for the root of a host: a browser is
#     sent there. Deeper paths reach it with the prefix taken off.
#
# (!) Only the location /ollama/ may name the upstream ia_enso_ollama, and it may
#     hold no other location: `if` does not guard nested ones.
#
# https://nginx.org/en/docs/http/ngx_http_core_module.html
# https://nginx.org/en/docs/http/ngx_http_proxy_module.html
# https://nginx.org/en/docs/http/ngx_http_upstream_module.html

# The path without its arguments, no Referer and no headers that carry secrets:
# people paste tokens into query strings.
log_format ia_enso '\''$remote_addr $ia_enso_ollama_client [$time_local] $scheme "$request_method $uri" $status'\''
                   '\'' $body_bytes_sent $request_time $upstream_response_time "$http_user_agent"'\'';

upstream ia_enso_ollama {
    server 192.168.1.164:11434;
    keepalive 64;
}

upstream ia_enso_anythingllm {
    server 192.168.1.164:3001;
    keepalive 64;
    # Node closes idle connections after 5 s; one picked in that moment would be a 502.
    keepalive_timeout 4s;
}

server {
    listen 80;
    listen [::]:80;
    server_name ia.enso.4nkweb.com;

    server_tokens off;
    access_log /var/log/nginx/ia.enso.4nkweb.com.access.log ia_enso;

    # HTTP-01: certbot'\''s webroot plugin writes here, the CA reads over plain HTTP.
    # https://www.rfc-editor.org/rfc/rfc8555#section-8.3
    location ^~ /.well-known/acme-challenge/ {
        root /var/www/certbot;
        default_type text/plain;
        try_files $uri =404;
    }

    location / {
        # (!) $request_uri and never $uri, which is decoded and could split the answer.
        return 301 https://$server_name$request_uri;
    }
}

server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name ia.enso.4nkweb.com;

    ssl_certificate /etc/letsencrypt/live/ia.enso.4nkweb.com/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/ia.enso.4nkweb.com/privkey.pem;
    # TLS by Mozilla'\''s intermediate guideline 5.7: every client of the last ten years. (!)
    # Without DHE, which would need a dhparam file, and without OCSP stapling, which
    # Let'\''s Encrypt no longer offers.
    #
    # (!) nginx takes the protocols of the default server of the address: a vhost
    #     there that still allows TLS 1.1 allows it here too.
    #
    # https://ssl-config.mozilla.org/guidelines/5.7.json
    # https://nginx.org/en/docs/http/ngx_http_ssl_module.html
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_prefer_server_ciphers off;
    ssl_session_timeout 1d;
    ssl_session_cache shared:gatepost:10m;
    ssl_session_tickets off;

    # (!) Not inherited by a location that has an add_header of its own.
    add_header Strict-Transport-Security "max-age=63072000" always;

    server_tokens off;
    absolute_redirect off;
    access_log /var/log/nginx/ia.enso.4nkweb.com.access.log ia_enso;

    # ---- Ollama -------------------------------------------------------------

    location = /ollama {
        return 308 /ollama/$is_args$args;
    }

    # (3) Beats every regex location there may ever be.
    # (4) For the 429 that @ia_enso_unauthorized may turn a 401 into. No `=` before
    #     the names: with it nginx answers `Expect: 100-continue` and asks for the
    #     body of a request that it refuses.
    # (5) Ollama answers 403 to a foreign Origin, and to a Host it does not know.
    # (6) Secrets and cookies of this host are no business of Ollama'\''s.
    # (7) Its redirects name paths of its own root, which belongs to AnythingLLM here.
    # (8) The slashes at both ends make `/ollama../x` another path; and what is
    #     sent is the decoded path that the maps have judged.
    location ^~ /ollama/ {  # (3)
        error_page 401 @ia_enso_unauthorized;
        error_page 403 @ia_enso_forbidden;
        error_page 429 @ia_enso_over_limit;
        recursive_error_pages on;  # (4)
        proxy_intercept_errors off;

        if ($ia_enso_ollama_authorized != 1) {
            return 401;
        }
        if ($ia_enso_ollama_permitted != 1) {
            return 403;
        }

        # As many at once as the limit allows in a minute, then one by one. Ollama'\''s own 429 is passed on.
        limit_req zone=ia_enso_ollama_10 burst=9 nodelay;
        limit_req zone=ia_enso_ollama_60 burst=59 nodelay;
        limit_req zone=ia_enso_ollama_600 burst=599 nodelay;
        limit_req_status 429;
        limit_req_log_level notice;

        # Every piece is passed on as it comes, both ways: tokens on time, and uploads
        # that need no room on this machine'\''s disk.
        # https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_buffer_size 16k;
        proxy_buffers 8 16k;
        proxy_request_buffering off;
        proxy_cache off;
        gzip off;
        # A backend may think for long: keep firewalls on the way from forgetting the connection.
        proxy_socket_keepalive on;
        # Who asked, and how, as nginx saw it: what a client claims is replaced.
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Port $server_port;
        proxy_set_header Forwarded "";
        proxy_set_header Host localhost:11434;  # (5)
        proxy_set_header Origin "";  # (5)
        proxy_set_header Connection "";
        proxy_set_header Authorization "";  # (6)
        proxy_set_header Proxy-Authorization "";  # (6)
        proxy_set_header X-Api-Key "";  # (6)
        proxy_set_header Cookie "";  # (6)

        # A model may take long to load, an image or a blob long to arrive.
        client_max_body_size 0;
        client_body_timeout 300s;
        proxy_connect_timeout 10s;
        proxy_send_timeout 300s;
        proxy_read_timeout 3600s;

        proxy_pass http://ia_enso_ollama/;  # (8)
        proxy_redirect default;
        proxy_redirect http://localhost:11434/ /ollama/;  # (7)
        proxy_redirect / /ollama/;  # (7)
    }

    # The first hundred failures of an address are answered at once, then one a
    # second, and 429 in between. `return` comes before limit_req in nginx'\''s order
    # of things, hence the detour by try_files, which finds nothing. (9)
    #
    # (9) Below a device there can be no file.
    # (10) Else the type would follow the path'\''s ending: /ollama/x.js.
    location @ia_enso_unauthorized {
        error_page 429 @ia_enso_slow_down;
        limit_req zone=ia_enso_ollama_failed burst=99 nodelay;
        limit_req_status 429;
        limit_req_log_level notice;
        root /dev/null;  # (9)
        try_files /none @ia_enso_unauthorized_now;
    }

    location @ia_enso_unauthorized_now {
        add_header Strict-Transport-Security "max-age=63072000" always;
        add_header WWW-Authenticate Bearer always;
        types { }  # (10)
        default_type application/json;
        return 401 '\''{"error":{"message":"Missing or unknown bearer token. Send it as: Authorization: Bearer TOKEN","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}\n'\'';
    }

    location @ia_enso_slow_down {
        add_header Strict-Transport-Security "max-age=63072000" always;
        add_header Retry-After 1 always;
        types { }  # (10)
        default_type application/json;
        return 429 '\''{"error":{"message":"Too many attempts without a known bearer token from your address.","type":"rate_limit_error","param":null,"code":"too_many_failed_attempts"}}\n'\'';
    }

    location @ia_enso_forbidden {
        types { }  # (10)
        default_type application/json;
        return 403 '\''{"error":{"message":"This token is for inference only: /v1/* and /api/{chat,generate,embed,embeddings,tags,show,ps,version}.","type":"permission_error","param":null,"code":"insufficient_scope"}}\n'\'';
    }

    location @ia_enso_over_limit {
        add_header Strict-Transport-Security "max-age=63072000" always;
        add_header Retry-After $ia_enso_ollama_retry_after always;
        types { }  # (10)
        default_type application/json;
        return 429 '\''{"error":{"message":"This client has a limit of requests a minute, and is above it.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}\n'\'';
    }

    # ---- AnythingLLM --------------------------------------------------------

    # AnythingLLM takes uploads of 3 GB and has a limit of its own; forms are a bit larger.
    client_max_body_size 3200m;
    client_body_timeout 300s;

    # Temporary and uncached: the day AnythingLLM has a base path, browsers come back.
    location = /anythingllm {
        add_header Strict-Transport-Security "max-age=63072000" always;
        add_header Cache-Control no-store always;
        return 302 /$is_args$args;
    }

    location = /anythingllm/ {
        add_header Strict-Transport-Security "max-age=63072000" always;
        add_header Cache-Control no-store always;
        return 302 /$is_args$args;
    }

    location ^~ /anythingllm/ {
        # Every piece is passed on as it comes, both ways: tokens on time, and uploads
        # that need no room on this machine'\''s disk.
        # https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_buffer_size 16k;
        proxy_buffers 8 16k;
        proxy_request_buffering off;
        proxy_cache off;
        gzip off;
        # A backend may think for long: keep firewalls on the way from forgetting the connection.
        proxy_socket_keepalive on;
        # Who asked, and how, as nginx saw it: what a client claims is replaced.
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Port $server_port;
        proxy_set_header Forwarded "";
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host;
        proxy_connect_timeout 10s;
        proxy_send_timeout 300s;
        proxy_read_timeout 3600s;
        proxy_pass http://ia_enso_anythingllm/;
    }

    location / {
        # Every piece is passed on as it comes, both ways: tokens on time, and uploads
        # that need no room on this machine'\''s disk.
        # https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_buffer_size 16k;
        proxy_buffers 8 16k;
        proxy_request_buffering off;
        proxy_cache off;
        gzip off;
        # A backend may think for long: keep firewalls on the way from forgetting the connection.
        proxy_socket_keepalive on;
        # Who asked, and how, as nginx saw it: what a client claims is replaced.
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Port $server_port;
        proxy_set_header Forwarded "";
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host;
        proxy_connect_timeout 10s;
        proxy_send_timeout 300s;
        proxy_read_timeout 3600s;
        proxy_pass http://ia_enso_anythingllm;
    }
}
'; }
content_3() { printf %s '# Client "default" of the bearer gate. This file holds a secret: keep it root'\''s, mode 0600.
# created 2026-11-22T17:40:35Z
# rotated 2026-11-22T17:40:35Z
"~^(?i:bearer) +Alpha\.Token\+with\*\(every\)\[kind\]\{of\}\^sign\|h\?\;\#\~\%\&\=\<\>\$host\z" full:default;
'; }
site_files() {
  want map 'ia-enso-http-maps.conf' 600 content_0
  want shared 'websocket-connection-map.conf' 644 content_1
  want vhost 'ia.enso.4nkweb.com.conf' 644 content_2
  want client 'default' 600 content_3
}
apply
exit
}
