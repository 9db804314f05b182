set -eu
keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone
keystone-manage bootstrap --bootstrap-region-id "$REGION" \
  --bootstrap-internal-url http://keystone:5000 \
  --bootstrap-public-url "http://$API_ADDRESS:5000"
